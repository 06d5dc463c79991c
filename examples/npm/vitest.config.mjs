import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["vitest/*.test.mjs"],
    globalSetup: ["paylera-mock/global-setup"],
    setupFiles: ["paylera-mock/vitest"],
  },
});
