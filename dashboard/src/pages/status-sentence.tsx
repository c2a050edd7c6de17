/** The headline, and the buttons that act on it. */

import type { Status, Suggestion } from '../api.ts'
import { useNow } from '../clock.ts'
import { age, countOf } from '../format.ts'
import { Button, ButtonLink } from '../parts/button.tsx'
import { Icon } from '../parts/icon.tsx'
import { STATES } from '../parts/mark.tsx'
import { has, may, session } from '../session.ts'
import { PauseButton, retryRun } from './handler-actions.tsx'
import { sendTestEvent } from './test-event.ts'

export function StatusSentence({ status }: { readonly status: Status }) {
  const now = useNow()
  const { icon, tone } = STATES[status.state]
  const { word, sentence } = partsOf(status)
  return (
    <section class={`status ${tone}`} aria-label="Status">
      <span class="status-mark">
        <Icon name={icon} />
      </span>
      <div class="status-text">
        <p class="status-word">
          <b>{word}</b> {status.since && `for ${age(status.since, now)}`}
        </p>
        <p class="status-sentence" role="status">
          {sentence}
        </p>
        <p class="status-data">{status.data}</p>
        {status.suggestions.length > 0 && (
          <div class="actions">
            {status.suggestions.map((suggestion, index) => (
              <SuggestionButton key={keyOf(suggestion)} suggestion={suggestion} isFirst={index === 0} />
            ))}
          </div>
        )}
      </div>
    </section>
  )
}

/** The sentence begins with the word for the state, which the heading already shows. */
function partsOf({ state, sentence }: Status): { word: string; sentence: string } {
  const [, word, rest = ''] = /^([A-Z]\w+): (.*)$/s.exec(sentence) ?? []
  if (word === undefined) return { word: STATES[state].word, sentence }
  return { word, sentence: rest.charAt(0).toUpperCase() + rest.slice(1) }
}

function keyOf(suggestion: Suggestion): string {
  return Object.values(suggestion).join(' ')
}

interface SuggestionProps {
  readonly suggestion: Suggestion
  readonly isFirst: boolean
}

/** Shows only what this role may do. */
function SuggestionButton({ suggestion, isFirst }: SuggestionProps) {
  const kind = isFirst ? 'main' : 'plain'
  if (suggestion.action === 'pause_handler')
    return may('operator') ? <PauseButton handler={suggestion.handler} /> : null
  if (suggestion.action === 'retry_one')
    return may('operator') ? (
      <Button kind={kind} onClick={() => retryRun(suggestion.eventId, suggestion.handler)}>
        Retry one event
      </Button>
    ) : null
  if (suggestion.action === 'send_test_event')
    return has('simulator') && may('operator') ? (
      <Button kind={kind} onClick={sendTestEvent}>
        Send a test event
      </Button>
    ) : null
  const link = linkOf(suggestion)
  return (
    <ButtonLink
      class={kind}
      href={link.href}
      {...(link.isOutside && { target: '_blank', rel: 'noreferrer' })}
    >
      {link.text}
      {link.isOutside && <Icon name="external" />}
    </ButtonLink>
  )
}

type LinkSuggestion = Exclude<Suggestion, { action: 'pause_handler' | 'retry_one' | 'send_test_event' }>

function linkOf(suggestion: LinkSuggestion): { href: string; text: string; isOutside?: boolean } {
  switch (suggestion.action) {
    case 'open_failures': {
      const handler = suggestion.handler === null ? '' : `?handler=${encodeURIComponent(suggestion.handler)}`
      return { href: `failures${handler}`, text: `Open ${countOf(suggestion.count, 'failure')}` }
    }
    case 'open_events':
      return {
        href: `events?outcome=${suggestion.outcome}`,
        text: `Open ${countOf(suggestion.count, `${suggestion.outcome} event`)}`,
      }
    case 'open_rejected':
      return { href: `rejected#${suggestion.code}`, text: 'Show rejected requests' }
    case 'open_clerk_deliveries':
      return { href: clerkDeliveries(), text: "Open Clerk's delivery log", isOutside: true }
    case 'run_checks':
      return { href: 'health', text: 'Run health checks' }
  }
}

function clerkDeliveries(): string {
  const [instance] = session.value?.instanceIds ?? []
  return instance
    ? `https://dashboard.clerk.com/apps/~/instances/${encodeURIComponent(instance)}/webhooks`
    : 'https://dashboard.clerk.com/last-active?path=webhooks'
}
