/** For the configuration of the test runner, which calls it. */
declare const setup: () => Promise<unknown>;
export = setup;
