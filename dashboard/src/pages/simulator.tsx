/** The simulator: generates traffic and delivers events as Svix does. Only on a development server. */

import { useState } from 'preact/hooks'
import { refresh, useAnswer } from '../answers.ts'
import type { Problem, Scenario, SimulatorType, TrafficState } from '../api.ts'
import { call, problemOf } from '../api.ts'
import { count } from '../format.ts'
import { pathOf } from '../location.ts'
import { Button } from '../parts/button.tsx'
import { ProblemLine, Shown } from '../parts/notice.tsx'
import { fail, say } from '../parts/toast.tsx'

export function SimulatorPage() {
  const answer = useAnswer('GET simulator', {})
  return (
    <>
      <header class="page-head">
        <h1>Simulator</h1>
        <span class="page-count">signs events and delivers them as Svix does</span>
      </header>
      <Shown answer={answer}>
        {({ types, traffic, scenarios }) => (
          <>
            {traffic && <Traffic traffic={traffic} />}
            {scenarios.length > 0 && <Scenarios scenarios={scenarios} />}
            <SendForm types={types} />
          </>
        )}
      </Shown>
    </>
  )
}

/** Actions per second. */
const RATES = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100]

function Traffic({ traffic }: { readonly traffic: TrafficState }) {
  const { isRunning, perSecond } = traffic
  const change = async (body: Partial<TrafficState>) => {
    await call('POST simulator/traffic', { body })
    refresh('simulator')
  }
  const nearest = RATES.findIndex((rate) => rate >= perSecond)
  const rate = perSecond < 1 ? `one every ${Math.round(1 / perSecond)} s` : `${perSecond} per second`
  return (
    <section class="card simulator" aria-label="Traffic">
      <div class="actions">
        <Button kind={isRunning ? 'plain' : 'main'} onClick={() => change({ isRunning: !isRunning })}>
          {isRunning ? 'Stop' : 'Start'}
        </Button>
        <span role="status">
          {isRunning ? 'Simulated users sign up, change and leave.' : 'Simulated traffic is stopped.'}
        </span>
      </div>
      <label>
        Rate: {rate}
        <input
          type="range"
          min="0"
          max={RATES.length - 1}
          value={nearest === -1 ? RATES.length - 1 : nearest}
          aria-valuetext={rate}
          onChange={(event) => {
            change({ perSecond: RATES[Number(event.currentTarget.value)] as number }).catch(fail)
          }}
        />
      </label>
    </section>
  )
}

function Scenarios({ scenarios }: { readonly scenarios: readonly Scenario[] }) {
  const play = async ({ name, text }: Scenario) => {
    const { events } = await call('POST simulator/scenarios/{scenario}', { path: { scenario: name } })
    refresh()
    say(`${text}: ${count(events, 'event')} answered.`, { href: 'events', text: 'Open them' })
  }
  return (
    <section class="card simulator" aria-label="Scenarios">
      <h2>Let it happen</h2>
      <div class="actions">
        {scenarios.map((scenario) => (
          <Button key={scenario.name} onClick={() => play(scenario)}>
            {scenario.text}
          </Button>
        ))}
      </div>
    </section>
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
    <form class="card simulator" aria-label="Send an event" onSubmit={(event) => void send(event)}>
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
