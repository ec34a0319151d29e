/**
 * Values as a person reads them.
 *
 * @module
 */

/** Writes control characters as JSON does, those too that JSON leaves as they are, such as those
 * that turn the direction of a line. */
export function escapeControls(text: string): string {
  const escape = (unit: string) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return text.replaceAll(
    /[\p{Cc}\p{Cf}]/gu,
    (control) =>
      control < " " ? JSON.stringify(control).slice(1, -1) : control.split("").map(escape).join(""),
  );
}

/** A text as a person can read it: quoted, on one line, and cut where it is long. */
export function quote(text: string): string {
  return escapeControls(JSON.stringify(text.length > 1000 ? `${text.slice(0, 1000)}…` : text));
}

/**
 * Breaks a text between words, where it is wider than `width` columns.
 *
 * @param indent What the lines after the first begin with.
 */
export function wrap(text: string, width: number, indent: string): string {
  const lines: string[] = [];
  let [line = "", ...words] = text.split(" ");
  for (const word of words) {
    if (line.trim() === "" || line.length + 1 + word.length <= width) line += ` ${word}`;
    else {
      lines.push(line);
      line = indent + word;
    }
  }
  return [...lines, line].join("\n");
}

/** A number of bytes as a person reads it: `65,536 bytes`. */
export function byteCount(bytes: number): string {
  return `${bytes.toLocaleString("en")} ${bytes === 1 ? "byte" : "bytes"}`;
}
