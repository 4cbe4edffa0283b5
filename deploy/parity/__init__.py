"""A user's own requests, asked of both runtimes, and what the answers differ in.

requests.read: files -> requests (curl lines by words and curl_lines, HAR by har)
replay: EDGE; each request to each side by wire -> answers
difference: two answers -> differences; known and explanation say which have a reason
report, junit: what a person, a program and a CI read; junit_file: EDGE; where CI reads it

Text from the outside is latin-1 throughout: one character is one byte, so what a file
holds goes out unchanged.
"""
