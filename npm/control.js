"use strict";
// Types alone: see control.d.ts.
