import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ClerkSyncError, createClerkSync, createVerifier } from '../../src/index.ts'
import { parseSecret } from '../../src/webhook/secret.ts'
import { sign } from '../../src/webhook/signature.ts'
import { SECRET, silent } from '../support/databases.ts'

const KEY = SECRET.slice('whsec_'.length)

const bytesOf = (length: number) => Buffer.from(Array.from({ length }, (_, at) => (at * 37 + 11) % 256))
const secretOf = (length: number) => `whsec_${bytesOf(length).toString('base64')}`

/** Everything that anybody could see of an error. */
function everythingOf(error: unknown): string {
  const { message, stack, remedy } = error as ClerkSyncError
  return [
    message,
    stack,
    remedy,
    JSON.stringify(error),
    inspect(error, { depth: 10, showHidden: true }),
  ].join('\n')
}

describe('a signing secret', () => {
  it.each<[string, string]>([
    ['as Clerk shows it', SECRET],
    ['without its prefix', KEY],
    ['without its padding', secretOf(25).replace(/=+$/, '')],
    ['of 64 bytes', secretOf(64)],
    ['in white space', ` \n${SECRET}\r\n`],
    ['of 16 bytes', secretOf(16)],
  ])('%s is taken', (_, text) => {
    expect(parseSecret(text).key.type).toBe('secret')
  })

  it('makes the same key with and without prefix, padding and white space', () => {
    const signatures = [SECRET, KEY, `${SECRET}\n`, secretOf(25), secretOf(25).replace(/=+$/, '')].map(
      (text) => sign('msg_1', 1, Buffer.from('body'), parseSecret(text).key),
    )
    expect(new Set(signatures.slice(0, 3)).size).toBe(1)
    expect(signatures[3]).toBe(signatures[4])
    expect(signatures[0]).not.toBe(signatures[3])
  })

  it.each<[string, string, string]>([
    ['of nothing', '', 'secret_missing'],
    ['of white space', ' \t\n', 'secret_missing'],
    ['in double quotes', `"${SECRET}"`, 'secret_quoted'],
    ['in single quotes', `'${SECRET}'`, 'secret_quoted'],
    ['with one quote left', `${SECRET}"`, 'secret_quoted'],
    ['that is a secret API key', 'sk_test_TnVtYmVyT25lU2VjcmV0S2V5', 'secret_is_api_key'],
    ['that is a live API key', 'sk_live_TnVtYmVyT25lU2VjcmV0S2V5', 'secret_is_api_key'],
    ['that is a publishable key', 'pk_test_TnVtYmVyT25lUHVibGlzaGFibGU', 'secret_is_api_key'],
    ['with its prefix in upper case', `WHSEC_${KEY}`, 'secret_bad_prefix'],
    ['with another prefix', `whpk_${KEY}`, 'secret_bad_prefix'],
    ['of the prefix alone', 'whsec_', 'secret_empty'],
    ['of padding alone', 'whsec_==', 'secret_empty'],
    ['with its prefix twice', `whsec_${SECRET}`, 'secret_bad_base64'],
    ['in the URL alphabet', `whsec_${'-_'.repeat(16)}`, 'secret_bad_base64'],
    ['with a space inside', `whsec_${KEY.slice(0, 8)} ${KEY.slice(8)}`, 'secret_bad_base64'],
    ['with a line break inside', `whsec_${KEY.slice(0, 8)}\n${KEY.slice(8)}`, 'secret_bad_base64'],
    ['with a character missing', SECRET.slice(0, -3), 'secret_bad_base64'],
    ['with too much padding', `${SECRET}===`, 'secret_bad_base64'],
    ['with a letter of another alphabet', `whsec_${KEY.slice(1)}ж`, 'secret_bad_base64'],
    ['of 15 bytes', secretOf(15), 'secret_too_short'],
    ['that is a placeholder', 'whsec_example', 'secret_bad_base64'],
    ['that is a short placeholder', 'whsec_changeme', 'secret_too_short'],
    ['that repeats one character', `whsec_${'x'.repeat(32)}`, 'secret_low_entropy'],
  ])('%s is refused, naming the fault and never the value', (_, text, code) => {
    const refused = [() => parseSecret(text), () => createVerifier({ signingSecret: [SECRET, text] })]
    for (const start of refused) {
      const error = thrownBy(start)
      // Nothing at all is as good as no entry in the list.
      if (text.trim() === '' && error === undefined) continue
      expect(error).toMatchObject({ code, status: 500 })
      expect(error).toBeInstanceOf(ClerkSyncError)
      if (text.length > 6) expect(everythingOf(error)).not.toContain(text.trim())
      for (const part of text.match(/[A-Za-z0-9+/]{12,}/g) ?? [])
        expect(everythingOf(error)).not.toContain(part)
    }
  })

  it('is never repeated by an error or a warning, whatever it is', () => {
    // Between digits that stand in no stack trace: a random text alone can be a word such as "property".
    const canary = fc.string({ minLength: 1, maxLength: 50 }).map((text) => `8q7z${text}z7q8`)
    const prefix = fc.constantFrom('', 'whsec_', 'sk_test_', '"', 'whsec', 'WHSEC_', ' ')
    fc.assert(
      fc.property(prefix, canary, (start, rest) => {
        const warnings: string[] = []
        const log = {
          debug() {},
          info() {},
          error() {},
          warn: (_: object, text: string) => warnings.push(text),
        }
        const error = thrownBy(() => createVerifier({ signingSecret: [start + rest], log: log as never }))
        if (error !== undefined) expect(error).toMatchObject({ code: expect.stringMatching(/^secret_/) })
        const told = warnings.join() + (error === undefined ? '' : everythingOf(error))
        for (const part of [rest, '8q7z', 'z7q8']) expect(told).not.toContain(part)
      }),
      { numRuns: 500 },
    )
  })

  it.each<[string, string, string[]]>([
    ['as Clerk shows it', SECRET, []],
    ['in white space', `${SECRET}\n`, ['has white space around it']],
    ['of 18 bytes', secretOf(18), ['has 18 bytes; Clerk’s have 24']],
    ['of 23 bytes in white space', ` ${secretOf(23)}`, ['has white space', 'has 23 bytes']],
  ])('%s warns of what is odd about it', (_, text, warnings) => {
    expect(parseSecret(text).warnings).toEqual(warnings.map((warning) => expect.stringContaining(warning)))
  })

  it('is needed to receive, but not to read', async () => {
    const sync = createClerkSync({ signingSecret: '', database: 'memory://', log: silent })
    await sync.migrate()
    expect(await sync.database.selectFrom('users').select('id').execute()).toEqual([])
    await expect(sync.receive('{}', {})).rejects.toMatchObject({ code: 'secret_missing' })
    const answer = await sync.fetch(new Request('https://test/webhook', { method: 'POST', body: '{}' }))
    expect([answer.status, await answer.json()]).toEqual([
      503,
      { error: 'not_configured', ref: expect.stringMatching(/^rej_/) },
    ])
    await sync.close()
  })

  it('is needed to verify', () => {
    expect(thrownBy(() => createVerifier({ signingSecret: [] }))).toMatchObject({ code: 'secret_missing' })
    expect(thrownBy(() => createVerifier({ signingSecret: [' ', ''] }))).toMatchObject({
      code: 'secret_missing',
    })
  })
})

function thrownBy(start: () => unknown): unknown {
  try {
    return void start()
  } catch (error) {
    return error
  }
}
