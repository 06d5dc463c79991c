#!/usr/bin/env bash
# With curl: is a payment that was lost on its way back paid once?
#
#   paylera-mock exec -- bash lost_answer.sh
set -euo pipefail

control() { curl -fsS "$PAYLERA_CONTROL_URL/$1" -H "Content-Type: application/json" -d "$2"; }
pay() {
  curl -sS "$PAYLERA_BASE_URL/v1/invoices/$invoice/pay" \
    -H "Authorization: Bearer $PAYLERA_KEY" -H "Paylera-Version: 2026-04-01" \
    -H "Idempotency-Key: pay-$invoice" -H "Content-Type: application/json" \
    -d '{"payment_method_id": "tok_visa_success"}' "$@"
}

invoice=$(control objects '{"kind": "invoice"}' | sed 's/.*"id": *"\([^"]*\)".*/\1/')

# The work is done, the answer is lost: the next answer only.
control faults '{"at": "after_commit", "action": "drop", "route": "/v1/invoices/{id}/pay"}' >/dev/null
pay && { echo "the answer should have been lost"; exit 1; }

# The same request again, with the same key: what was answered then.
pay --fail
echo
