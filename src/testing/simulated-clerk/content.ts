/**
 * What people put into their profiles. Mostly names; now and then what breaks careless receivers: text that is not
 * normalised, not printable, not encodable, not safe in HTML, SQL or a terminal, and JSON that JavaScript stumbles over.
 */

import type { Metadata } from '../../clerk/payloads.ts'
import type { Random } from '../random.ts'

const HOSTILE_SHARE = 0.12
/** Of the hostile texts. */
const LONG_SHARE = 0.2

const FIRST_NAMES = [
  ...['Ada', 'Barbara', 'Dennis', 'Edsger', 'Grace', 'Hedy', 'Ken', 'Margaret', 'Niklaus', 'Radia'],
  ...['Anaïs', 'Çağla', 'José', 'Nguyễn', 'Žofia', '伟', 'محمد', 'Ольга', 'אסתר', 'あかり'],
]
const LAST_NAMES = [
  ...[
    'Lovelace',
    'Liskov',
    'Ritchie',
    'Dijkstra',
    'Hopper',
    'Lamarr',
    'Thompson',
    'Hamilton',
    'Wirth',
    'Perlman',
  ],
  ...['Müller', 'Øster', 'García', 'O’Brien', 'van der Berg', '李', 'العلي', 'Петрова', 'כהן', '佐藤'],
]
const COMPANIES = [
  'Acme',
  'Globex',
  'Initech',
  'Umbrella',
  'Hooli',
  'Vandelay',
  'Stark',
  'Wayne',
  'Tyrell',
  'Cyberdyne',
]

const HOSTILE_TEXTS = [
  '👩🏽‍🚀 👨‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿',
  // Right-to-left override: shows as "cv.exe" spelled backwards.
  'annual\u202efdp.exe',
  // The letter and its accent as two code points.
  'Zoe\u0308 Muñoz',
  '<script>alert(document.cookie)</script>',
  '"><img src=x onerror=alert(1)>',
  `Robert'); drop table users;--`,
  '"quoted" \\ backslash \\u0000 not escaped',
  'before\u0000after',
  // Half of a surrogate pair, which UTF-8 cannot encode.
  'high \ud83d',
  'low \ude00 alone',
  '\u001b[31mred\u001b[0m\r\n\t',
  // Line separators, a byte order mark, a zero-width joiner.
  '\u2028\u2029\ufeff\u200d',
  '{{7*7}} <%= 7*7 %> %s %n $(id)',
  '',
  ' ',
  'null',
  '__proto__',
]

const HOSTILE_METADATA: readonly ((random: Random) => Metadata)[] = [
  () => ({
    ['__proto__']: { isAdmin: true },
    constructor: { prototype: 1 },
    toJSON: 'x',
    hasOwnProperty: null,
  }),
  () => ({
    big: 2 ** 60,
    bigger: Number.MAX_VALUE,
    tiny: 1e-300,
    negative: -(2 ** 53) - 2,
    exact: 0.1 + 0.2,
  }),
  () => ({ 'nul\u0000key': 'nul\u0000value', lone: '\udfff', 'high\ud800': [['\ud800\u0000']] }),
  () => ({ '': '', ' ': null, 'a.b': [], 'a[0]': {}, '"\\/\b\f\n': '"\\/\b\f\n' }),
  () => ({ 2: 'two', 1: 'one', list: [[], {}, null, true, false, 0, [[[]]]] }),
  (random) => ({ deep: nested(random.integer(20, 60)) }),
  (random) => ({ long: longText(random) }),
  (random) => Object.fromEntries(HOSTILE_TEXTS.map((text) => [text, random.pick(HOSTILE_TEXTS)])),
]

function nested(levels: number): unknown {
  return levels === 0 ? '🪆' : { [levels % 2 ? 'in' : '😀']: [nested(levels - 1)] }
}

/** A few kB: more than an index entry of Postgres may have. */
function longText(random: Random): string {
  return Array.from({ length: random.integer(300, 600) }, () => random.pick(LAST_NAMES)).join(' ')
}

function maybeHostile(random: Random, ordinary: string): string {
  if (!random.chance(HOSTILE_SHARE)) return ordinary
  return random.chance(LONG_SHARE) ? longText(random) : random.pick(HOSTILE_TEXTS)
}

export function firstName(random: Random): string {
  return maybeHostile(random, random.pick(FIRST_NAMES))
}

export function lastName(random: Random): string {
  return maybeHostile(random, random.pick(LAST_NAMES))
}

export function companyName(random: Random): string {
  return maybeHostile(
    random,
    `${random.pick(COMPANIES)} ${random.pick(['Inc.', 'GmbH', '株式会社', '& Sons', 'AB'])}`,
  )
}

/** What Clerk keeps unique: short and plain. */
export function handle(random: Random): string {
  return `${random.pick(COMPANIES).toLowerCase()}-${random.integer(36 ** 5, 36 ** 6 - 1).toString(36)}`
}

export function address(random: Random): string {
  const local = random.pick([
    'ada',
    'grace.hopper',
    'o’brien',
    'test+tag',
    'UPPER',
    'jürgen',
    '"quoted\\"local"',
  ])
  return `${local}.${handle(random)}@${random.pick(['example.com', 'example.org', 'bücher.example', 'sub.example.net'])}`
}

export function metadata(random: Random): Metadata {
  if (random.chance(0.4)) return {}
  if (random.chance(HOSTILE_SHARE)) return random.pick(HOSTILE_METADATA)(random)
  return {
    plan: random.pick(['free', 'pro', 'enterprise']),
    crm: { id: `c-${random.integer(1, 9_999)}`, tags: [random.pick(COMPANIES)], score: random.fraction() },
  }
}

export function imageUrl(random: Random): string {
  return `https://img.clerk.com/${handle(random)}`
}
