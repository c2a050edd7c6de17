/** Play: sign an event and deliver it as Svix would. Only where the server was started for development. */

import { useState } from 'preact/hooks'
import { refresh, useAnswer } from '../answers.ts'
import type { Problem, SimulatorType } from '../api.ts'
import { call, problemOf } from '../api.ts'
import { pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { ProblemLine, Shown } from '../parts/notice.tsx'

export function SimulatorPage() {
  const answer = useAnswer('GET simulator', {})
  return (
    <>
      <header class="page-head">
        <h1>Simulator</h1>
        <span class="page-count">signs an event and delivers it, as Svix would</span>
      </header>
      <Shown answer={answer}>{({ types }) => <SendForm types={types} />}</Shown>
    </>
  )
}

interface Sent {
  readonly eventId: string
  readonly outcome: string
  readonly type: string
}

function SendForm({ types }: { readonly types: readonly SimulatorType[] }) {
  const [type, setType] = useState(
    types.find((each) => each.type === 'user.created')?.type ?? types[0]?.type ?? '',
  )
  const [text, setText] = useState<string>()
  const [sent, setSent] = useState<readonly Sent[]>([])
  const [problem, setProblem] = useState<Problem>()
  const sample = JSON.stringify(types.find((each) => each.type === type)?.sample, null, 2)
  const send = async (event: SubmitEvent) => {
    event.preventDefault()
    setProblem(undefined)
    try {
      const data: unknown = JSON.parse(text ?? sample)
      const result = await call('POST simulator', { body: { type, data } })
      setSent([{ ...result, type }, ...sent])
      refresh()
    } catch (error) {
      setProblem(error instanceof SyntaxError ? notJson(error) : problemOf(error))
    }
  }
  return (
    <form class="card simulator" onSubmit={(event) => void send(event)}>
      <label>
        Type
        <select
          value={type}
          onChange={(event) => {
            setType(event.currentTarget.value)
            setText(undefined)
          }}
        >
          {types.map((each) => (
            <option key={each.type}>{each.type}</option>
          ))}
        </select>
      </label>
      <label>
        Data
        <textarea
          rows={18}
          spellcheck={false}
          value={text ?? sample}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
      <ProblemLine problem={problem} />
      <div class="actions">
        <Button type="submit" kind="main">
          Send
        </Button>
        <Button onClick={() => setText(undefined)}>Start over</Button>
      </div>
      <SentList sent={sent} />
    </form>
  )
}

function SentList({ sent }: { readonly sent: readonly Sent[] }) {
  return (
    <ol class="sent" aria-live="polite" aria-label="Sent">
      {sent.map((each) => (
        <li key={each.eventId}>
          {each.type}: {each.outcome} <a href={pathOf('events', each.eventId)}>Open</a>
        </li>
      ))}
    </ol>
  )
}

function notJson(error: SyntaxError): Problem {
  return { code: 'not_json', message: 'The data is not JSON.', remedy: error.message }
}
