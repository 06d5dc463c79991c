// For `setupFiles`. Vitest waits for the module, so that a test file finds its fake in the environment at once.
import { afterAll } from "vitest";
import file from "./lib/file.js";

afterAll(await file.openFile());
