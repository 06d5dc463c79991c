"""What a namespace keeps: tokens, objects, idempotency records, versions, the schedule, webhooks."""
