"""cloud-init's Ec2 data source, told where it is: a container has no hardware that says so.

Only then it asks the metadata service for a session token, as on EC2. Runs in the guest.
"""

from cloudinit import sources
from cloudinit.sources.DataSourceEc2 import CloudNames, DataSourceEc2


class DataSourceGuest(DataSourceEc2):
    """EC2, whatever the hardware says."""

    cloud_name = CloudNames.AWS


datasources = [(DataSourceGuest, (sources.DEP_FILESYSTEM, sources.DEP_NETWORK))]


def get_datasource_list(depends):
    """What cloud-init asks each module of data sources."""
    return sources.list_from_depends(depends, datasources)
