// One real flow through a client that hey-api has made.
import { randomUUID } from 'node:crypto';
import { client } from './hey_api/client.gen';
import * as paylera from './hey_api/sdk.gen';
import type { ApiTokenWithSecret, Customer, Invoice, PaymentSummary, Problem, ProblemCode, Refund } from './hey_api/types.gen';

client.setConfig({ baseUrl: process.env.PAYLERA_BASE_URL!, auth: () => process.env.PAYLERA_ADMIN_KEY! });

const withKey = () => ({ 'Idempotency-Key': randomUUID() });
const throwOnError = true as const;

function mustBe(is: boolean, what: string): void {
  if (!is) throw new Error(`not so: ${what}`);
}

async function main(): Promise<void> {
  const made = await paylera.createCustomer({
    headers: withKey(),
    body: { email: 'mary@example.com', name: 'Mary', billing_address: { country: 'GB' }, metadata: { a: 'b' } },
    throwOnError,
  });
  const customer: Customer = made.data;
  mustBe(customer.name === 'Mary' && customer.billing_address?.country === 'GB', 'the customer has its members');

  const found: Customer[] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { limit: 2, ...(cursor ? { cursor } : {}) };
    const page = await paylera.listCustomers({ query, throwOnError });
    found.push(...page.data.data);
    cursor = page.data.next_cursor;
  }
  mustBe(found.some((each) => each.id === customer.id), 'the list has the customer');

  const { data: subscription } = await paylera.createSubscription({
    headers: withKey(),
    body: { customer_id: customer.id, plan_code: 'pro-monthly-usd', trial_days: 14 },
    throwOnError,
  });
  mustBe(subscription.status === 'trialing' && typeof subscription.trial_end === 'string', 'the trial has an end');

  const line = { description: 'Seats', quantity: '7', unit_amount: '10.00' };
  const drawn = await paylera.createInvoice({
    headers: withKey(),
    body: { customer_id: customer.id, currency: 'USD', lines: [line] },
    throwOnError,
  });
  const draft: Invoice = drawn.data;
  mustBe(draft.lines?.[0]?.amount === '70.00' && draft.number !== undefined, 'the invoice has its line');
  const path = { id: draft.id };
  const { data: open } = await paylera.finalizeInvoice({ path, headers: withKey(), throwOnError });
  mustBe(open.status === 'open' && typeof open.issued_at === 'string', 'the invoice is open');

  const body = { payment_method_id: 'tok_visa_success' };
  const charged = await paylera.payInvoice({ path, headers: withKey(), body, throwOnError });
  const summary: PaymentSummary = charged.data;
  mustBe(summary.status === 'succeeded', 'the invoice is paid');
  const paid = { id: summary.payment_id };
  const given = await paylera.refundPayment({
    path: paid,
    headers: withKey(),
    body: { amount: '1.00', reason: 'order_change' },
    throwOnError,
  });
  const refund: Refund = given.data;
  const { data: payment } = await paylera.getPayment({ path: paid, throwOnError });
  mustBe(payment.refunds[0]?.id === refund.id && refund.status === 'succeeded', 'the payment has its refund');

  const minted = await paylera.createApiToken({
    headers: withKey(),
    body: { audience: 'service', scopes: ['customers:read'] },
    throwOnError,
  });
  const token: ApiTokenWithSecret = minted.data;
  const named = { id: token.id };
  const { data: rotated } = await paylera.rotateApiToken({ path: named, headers: withKey(), throwOnError });
  mustBe(rotated.secret !== token.secret, 'the secret is another one');
  const revoked = await paylera.revokeApiToken({ path: named });
  mustBe(revoked.response?.status === 204, 'the token is revoked');

  const refused = await paylera.listCustomers({ auth: () => rotated.secret! });
  const problem: Problem | undefined = refused.error;
  mustBe(problem?.problem === ('auth.invalid_token' satisfies ProblemCode), 'the problem has its code');
}

void main();
