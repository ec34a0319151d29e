import { pythonTest } from "./headers.ts";
import "./process.ts";

// Of each kind: one way, both ways, frames, a hang.
["lines", "duplex", "framing", "deadlock"].forEach(pythonTest);
