// Foreign text as Postgres can store it, plain or inside of JSON.

/** Without NUL, and with U+FFFD for halves of surrogate pairs. */
export function storableText(text: string): string {
  return (text.includes('\0') ? text.replaceAll('\0', '') : text).toWellFormed();
}
