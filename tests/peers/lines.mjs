// Counts the lines that cat writes, and their letters: lines.mjs FILE.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

const child = spawn("cat", [process.argv[2]], { stdio: ["ignore", "pipe", "inherit"] });
let lines = 0;
let letters = 0;
createInterface({ input: child.stdout }).on("line", (line) => {
  lines++;
  letters += line.length;
}).on("close", () => console.log(lines, letters));
