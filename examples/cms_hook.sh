#!/bin/sh
# Label a page when it is published: cms_hook.sh PAGE.html > LABELLED.html
#
# For a CMS that can run a command, or as a pattern for one that speaks HTTP itself. DECLARED says how far AI was involved
# (none, assisted, generated, mixed), REVIEW whether an editor has looked (reviewed, edited, ...). Where a person has to
# decide first, the page comes out unchanged and the exit status is 3: publish it, and take the label from a webhook later.
set -eu
page=$1
service=${SERVICE:-http://127.0.0.1:8000}

json() { python3 -c "import json, sys; $1"; }
post() {
  curl --silent --show-error --fail-with-body --retry 5 --max-time 120 \
    ${ACCESS_KEY:+--header "Authorization: Bearer $ACCESS_KEY"} \
    --header "Content-Type: application/json" "$@"
}

# The same key for the same page: a request that is sent again makes no second label.
key=$(sha256sum "$page" | cut -d ' ' -f 1)
label=$(
  DECLARED=${DECLARED:-assisted} REVIEW=${REVIEW:-reviewed} json '
import os
print(json.dumps({"html": sys.stdin.read(), "declared": os.environ["DECLARED"], "human_review": os.environ["REVIEW"]}))
' < "$page" | post --header "Idempotency-Key: $key" --data-binary @- "$service/v1/labels"
)
id=$(printf %s "$label" | json 'print(json.load(sys.stdin)["id"])')
status=$(printf %s "$label" | json 'print(json.load(sys.stdin)["status"])')
if [ "$status" != active ]; then
  echo "label $id is $status: a person has to decide" >&2
  cat "$page"
  exit 3
fi
json 'print(json.dumps({"html": sys.stdin.read()}))' < "$page" |
  post --data-binary @- "$service/v1/labels/$id/embed" |
  json 'sys.stdout.write(json.load(sys.stdin)["html"])'
