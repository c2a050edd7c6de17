/** A foldable JSON tree. Everything is rendered as text, never as markup. */

import { useMemo } from 'preact/hooks'
import { bytes, isEmpty } from '../format.ts'
import { Button } from './button.tsx'
import { copy } from './copy.tsx'
import { EmptyFields } from './fields.tsx'

/** A larger text is offered as a file: thousands of nodes make the page slow. */
const MAX_SHOWN = 200_000
/** Branches below this depth, or with more entries, are folded at first. */
const OPEN_DEPTH = 2
const OPEN_ENTRIES = 30

interface JsonProps {
  readonly text: string
  readonly name: string
}

export function Json({ text, name }: JsonProps) {
  const parsed = useMemo(() => parse(text), [text])
  return (
    <div class="json">
      <div class="json-tools">
        <Button onClick={() => copy(text, 'the JSON')}>Copy</Button>
        <Button onClick={() => download(text, name)}>Download</Button>
        <span class="quiet">{bytes(new TextEncoder().encode(text).length)}</span>
      </div>
      {text.length > MAX_SHOWN ? (
        <p class="quiet">Too large to show here. Download it instead.</p>
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
        <div class="json-tree" tabIndex={0} role="region" aria-label={name}>
          {parsed === undefined ? <pre>{text}</pre> : <Node value={parsed.value} depth={0} />}
        </div>
      )}
    </div>
  )
}

/** A number that JavaScript would round, as the text has it. */
class LongNumber {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** Older browsers do not expose the source text of a number, and show it rounded. */
function keepDigits(_: string, value: unknown, { source = '' }: { source?: string } = {}): unknown {
  const isRounded = typeof value === 'number' && source.length > 15 && String(value) !== source
  return isRounded ? new LongNumber(source) : value
}

function parse(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text, keepDigits as (key: string, value: unknown) => unknown) }
  } catch {
    return undefined
  }
}

function download(text: string, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  link.download = `${name.replace(/[^\w.-]+/g, '_')}.json`
  link.click()
  URL.revokeObjectURL(link.href)
}

interface NodeProps {
  readonly name?: string
  readonly value: unknown
  readonly depth: number
}

function Node({ name, value, depth }: NodeProps) {
  if (typeof value === 'object' && value !== null && !(value instanceof LongNumber))
    return <Branch name={name} value={value} depth={depth} />
  return (
    <div class="json-line">
      <Name name={name} />
      <Scalar value={value} />
    </div>
  )
}

function Name({ name }: { readonly name: string | undefined }) {
  return name === undefined ? null : (
    <>
      <span class="json-name">{name}</span>
      {': '}
    </>
  )
}

function Scalar({ value }: { readonly value: unknown }) {
  if (value instanceof LongNumber) return <span class="json-number">{value.text}</span>
  const kind = value === null || value === undefined ? 'null' : typeof value
  return <span class={`json-${kind}`}>{value === undefined ? 'null' : JSON.stringify(value)}</span>
}

function Branch({ name, value, depth }: { name: string | undefined; value: object; depth: number }) {
  const entries = Object.entries(value)
  const isList = Array.isArray(value)
  const [open, close] = isList ? '[]' : '{}'
  if (entries.length === 0)
    return (
      <div class="json-line">
        <Name name={name} />
        {open}
        {close}
      </div>
    )
  const { empty = [], filled = [] } = Object.groupBy(entries, ([, child]) =>
    !isList && isEmpty(child) ? 'empty' : 'filled',
  )
  return (
    <details class="json-branch" open={depth === 0 || (depth < OPEN_DEPTH && filled.length <= OPEN_ENTRIES)}>
      <summary>
        <Name name={name} />
        {open}
        <span class="json-size">{entries.length}</span>
        {close}
      </summary>
      <div class="json-children">
        <Members entries={filled} isList={isList} depth={depth + 1} />
        {empty.length > 0 && (
          <EmptyFields amount={empty.length}>
            <Members entries={empty} isList={isList} depth={depth + 1} />
          </EmptyFields>
        )}
      </div>
    </details>
  )
}

interface MembersProps {
  readonly entries: readonly (readonly [key: string, value: unknown])[]
  readonly isList: boolean
  readonly depth: number
}

function Members({ entries, isList, depth }: MembersProps) {
  return entries.map(([key, child]) => (
    <Node key={key} {...(isList ? {} : { name: key })} value={child} depth={depth} />
  ))
}
