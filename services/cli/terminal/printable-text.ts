// Text from elsewhere (answers, messages, arguments) made safe to show on a terminal.

// What a terminal would act on instead of showing it: control characters, and those that turn the direction of text.
const unprintable = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** The text with such characters as `\u{…}`, so that it stays on its line and changes nothing else there. */
export function printable(text: string): string {
  return text.replaceAll(
    unprintable,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}}`,
  );
}
