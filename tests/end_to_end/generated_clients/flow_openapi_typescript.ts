// One real flow through a client whose types openapi-typescript has made.
import { randomUUID } from 'node:crypto';
import createClient from 'openapi-fetch';
import type { components, paths } from './openapi_typescript/schema';

type Schemas = components['schemas'];

const client = createClient<paths>({
  baseUrl: process.env.PAYLERA_BASE_URL!,
  headers: { Authorization: `Bearer ${process.env.PAYLERA_ADMIN_KEY}` },
});

const withKey = () => ({ header: { 'Idempotency-Key': randomUUID() } });

function must<T>(answer: { data?: T; error?: unknown }): T {
  if (answer.data === undefined) throw new Error(`refused: ${JSON.stringify(answer.error)}`);
  return answer.data;
}

function mustBe(is: boolean, what: string): void {
  if (!is) throw new Error(`not so: ${what}`);
}

async function main(): Promise<void> {
  const body = { email: 'mary@example.com', name: 'Mary', billing_address: { country: 'GB' }, metadata: { a: 'b' } };
  const customer: Schemas['customer'] = must(await client.POST('/v1/customers', { params: withKey(), body }));
  mustBe(customer.name === 'Mary' && customer.billing_address?.country === 'GB', 'the customer has its members');

  const found: Schemas['customer'][] = [];
  for (let cursor: string | null | undefined; cursor !== null; ) {
    const query = { limit: 2, ...(cursor ? { cursor } : {}) };
    const page: Schemas['customer_list'] = must(await client.GET('/v1/customers', { params: { query } }));
    found.push(...page.data);
    cursor = page.next_cursor;
  }
  mustBe(found.some((each) => each.id === customer.id), 'the list has the customer');

  const subscription: Schemas['subscription'] = must(
    await client.POST('/v1/subscriptions', {
      params: withKey(),
      body: { customer_id: customer.id, plan_code: 'pro-monthly-usd', trial_days: 14 },
    }),
  );
  mustBe(subscription.status === 'trialing' && typeof subscription.trial_end === 'string', 'the trial has an end');

  const line = { description: 'Seats', quantity: '7', unit_amount: '10.00' };
  const draft: Schemas['invoice'] = must(
    await client.POST('/v1/invoices', {
      params: withKey(),
      body: { customer_id: customer.id, currency: 'USD', lines: [line] },
    }),
  );
  mustBe(draft.lines?.[0]?.amount === '70.00' && draft.number !== undefined, 'the invoice has its line');
  const path = { id: draft.id };
  const open = must(await client.POST('/v1/invoices/{id}/finalize', { params: { path, ...withKey() } }));
  mustBe(open.status === 'open' && typeof open.issued_at === 'string', 'the invoice is open');

  const summary: Schemas['payment_summary'] = must(
    await client.POST('/v1/invoices/{id}/pay', {
      params: { path, ...withKey() },
      body: { payment_method_id: 'tok_visa_success' },
    }),
  );
  mustBe(summary.status === 'succeeded', 'the invoice is paid');
  const paid = { id: summary.payment_id };
  const refund: Schemas['refund'] = must(
    await client.POST('/v1/payments/{id}/refunds', {
      params: { path: paid, ...withKey() },
      body: { amount: '1.00', reason: 'order_change' },
    }),
  );
  const payment = must(await client.GET('/v1/payments/{id}', { params: { path: paid } }));
  mustBe(payment.refunds[0]?.id === refund.id && refund.status === 'succeeded', 'the payment has its refund');

  const token: Schemas['api_token_with_secret'] = must(
    await client.POST('/v1/admin/api-tokens', {
      params: withKey(),
      body: { audience: 'service', scopes: ['customers:read'] },
    }),
  );
  const named = { path: { id: token.id } };
  const rotated = must(
    await client.POST('/v1/admin/api-tokens/{id}/rotate', { params: { ...named, ...withKey() } }),
  );
  mustBe(rotated.secret !== token.secret, 'the secret is another one');
  const revoked = await client.DELETE('/v1/admin/api-tokens/{id}', { params: named });
  mustBe(revoked.response.status === 204, 'the token is revoked');

  const headers = { Authorization: `Bearer ${rotated.secret}` };
  const refused = await client.GET('/v1/customers', { headers });
  const problem: Schemas['problem'] | undefined = refused.error;
  mustBe(problem?.problem === ('auth.invalid_token' satisfies Schemas['problem_code']), 'the problem has its code');
}

void main();
