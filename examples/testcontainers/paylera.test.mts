// The fake in a container, with testcontainers for Node: `npm install --save-dev testcontainers paylera-mock`.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openNamespace, type Namespace } from "paylera-mock";
import { GenericContainer, Wait, type StartedTestContainer } from "testcontainers";

const controlToken = "for-tests-only";
let container: StartedTestContainer;
let fake: Namespace;

before(async () => {
  // The image: `docker build . --tag paylera-mock` in the testkit.
  container = await new GenericContainer("paylera-mock")
    .withEnvironment({ PAYLERA_CONTROL_TOKEN: controlToken })
    .withExposedPorts(4242)
    .withWaitStrategy(Wait.forHttp("/openapi/v1.json", 4242))
    .start();
  const controlUrl = `http://${container.getHost()}:${container.getMappedPort(4242)}/_mock`;
  fake = await openNamespace({ controlUrl, controlToken });
});

after(async () => {
  await fake.close();
  await container.stop();
});

test("customers are listed", async () => {
  const answer = await fetch(`${fake.url}/v1/customers`, { headers: { Authorization: `Bearer ${fake.key}` } });
  assert.equal(answer.status, 200);
});
