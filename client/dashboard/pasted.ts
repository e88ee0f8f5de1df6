/** No credential is longer; what is, is another text of the clipboard. */
const MOST_CHARACTERS = 8_192

export type Pasted = { ok: true; credential: string } | { ok: false; wrong: string }

/**
 * An API key or a token as a person pastes it: with spaces around it, as the line of a header, or
 * as the answer it came in.
 */
export function readPasted(text: string): Pasted {
  const credential = text.trim().replace(/^(authorization:\s*)?bearer\s+/i, '')
  if (credential === '') return wrong('Paste an API key or a token.')
  if (credential.length > MOST_CHARACTERS) return wrong('That is too long for a key or a token.')
  if (!/^[\x21-\x7e]+$/.test(credential))
    return wrong('That is no key and no token: those are one word, without spaces or accents.')
  return { ok: true, credential }
}

function wrong(sentence: string): Pasted {
  return { ok: false, wrong: sentence }
}
