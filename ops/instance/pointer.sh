# shellcheck shell=bash
# The release pointer: which artifact the stack wants, from the metadata of the fleet's resource.

read_pointer() {
  local metadata fields
  metadata=$(aws cloudformation describe-stack-resource --region "$AWS_REGION" \
    --stack-name "$SERVICE_STACK" --logical-resource-id "$SERVICE_FLEET" \
    --query StackResourceDetail.Metadata --output text) ||
    fail "cannot read the metadata of $SERVICE_FLEET in stack $SERVICE_STACK"
  fields=$(python3 -I "${here:?}/pointer.py" <<<"$metadata" 2>&1) ||
    fail "$SERVICE_FLEET in stack $SERVICE_STACK has no usable release in its metadata: $fields" "Provision the stack again"
  # shellcheck disable=SC2034  # read by install-release.sh and release.sh
  IFS=$'\t' read -r POINTER_BUCKET POINTER_KEY POINTER_SHA256 POINTER_BUILD <<<"$fields"
}
