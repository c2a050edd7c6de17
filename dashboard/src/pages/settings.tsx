/** The configuration with its sources, the handlers, the settings of this browser, and the audit log. */

import { useAnswer } from '../answers.ts'
import type { AuditEntry, HandlerSummary, Setting } from '../api.ts'
import { inline, quantity } from '../format.ts'
import { Button } from '../parts/button.tsx'
import { Mark } from '../parts/mark.tsx'
import { Notice, Shown } from '../parts/notice.tsx'
import { Ago } from '../parts/time.tsx'
import { setSingleKeys, setTheme, singleKeys, type Theme, theme } from '../preferences.ts'
import { has, may, session } from '../session.ts'
import { useStore } from '../store.ts'
import { PauseButton, ResumeButton } from './handler-actions.tsx'
import { usePages } from './use-pages.ts'

export function SettingsPage() {
  return (
    <>
      <header class="page-head">
        <h1>Settings</h1>
      </header>
      <ThisBrowser />
      <Handlers />
      {isAdmin() ? (
        <>
          {has('settings') && <Options />}
          <Audit />
        </>
      ) : (
        <Notice icon="settings" title="Only admins can see the configuration and the audit log." />
      )}
    </>
  )
}

/** On a read-only server an admin can still read them. */
function isAdmin(): boolean {
  return may('admin') || session.value?.role === 'admin'
}

const THEMES: readonly (readonly [Theme, string])[] = [
  ['system', 'Same as the system'],
  ['light', 'Light'],
  ['dark', 'Dark'],
]

function ThisBrowser() {
  const current = useStore(theme)
  const keys = useStore(singleKeys)
  return (
    <section class="card" aria-labelledby="browser-title">
      <h2 id="browser-title">This browser</h2>
      <fieldset class="choices">
        <legend>Theme</legend>
        {THEMES.map(([value, text]) => (
          <label key={value} class="check">
            <input type="radio" name="theme" checked={current === value} onChange={() => setTheme(value)} />{' '}
            {text}
          </label>
        ))}
      </fieldset>
      <label class="check">
        <input
          type="checkbox"
          checked={keys === 'on'}
          onChange={(event) => setSingleKeys(event.currentTarget.checked ? 'on' : 'off')}
        />
        Enable single-key shortcuts
      </label>
    </section>
  )
}

const HANDLERS_MS = 10_000

function Handlers() {
  const answer = useAnswer('GET handlers', {}, HANDLERS_MS)
  return (
    <section class="card" aria-labelledby="handlers-title">
      <h2 id="handlers-title">Handlers</h2>
      <Shown answer={answer} rows={2}>
        {({ handlers }) =>
          handlers.length === 0 ? (
            <p class="quiet">No handlers are registered and none has ever run.</p>
          ) : (
            <table class="table rows">
              <caption class="sr">Handlers</caption>
              <thead>
                <tr>
                  <th scope="col">Handler</th>
                  <th scope="col">Events</th>
                  <th scope="col" class="number">
                    Waiting
                  </th>
                  <th scope="col" class="number">
                    Out of retries
                  </th>
                  <th scope="col">State</th>
                  <th scope="col">
                    <span class="sr">Actions</span>
                  </th>
                </tr>
              </thead>
              <tbody>
                {handlers.map((handler) => (
                  <HandlerRow key={handler.name} handler={handler} />
                ))}
              </tbody>
            </table>
          )
        }
      </Shown>
    </section>
  )
}

function HandlerRow({ handler }: { readonly handler: HandlerSummary }) {
  const { name, patterns, waiting, dead, isPaused, pauseReason } = handler
  return (
    <tr>
      <td class="type">
        <a href={`failures?handler=${encodeURIComponent(name)}`}>{name}</a>
      </td>
      <td class="about">{patterns ? patterns.join(', ') : 'not registered in this process'}</td>
      <td class="number" data-label="waiting">
        {quantity(waiting)}
      </td>
      <td class="number" data-label="out of retries">
        {quantity(dead)}
      </td>
      <td class="what">
        {isPaused ? (
          <Mark icon="pause" tone="warning" word={pauseReason ? `paused: ${pauseReason}` : 'paused'} />
        ) : (
          <Mark icon="check" tone="good" word="active" />
        )}
      </td>
      <td class="row-actions">
        {has('handlers') &&
          may('operator') &&
          (isPaused ? <ResumeButton handler={name} /> : <PauseButton handler={name} />)}
      </td>
    </tr>
  )
}

function Options() {
  const answer = useAnswer('GET settings', {})
  return (
    <section class="card" aria-labelledby="options-title">
      <h2 id="options-title">Configuration</h2>
      <Shown answer={answer}>
        {({ settings }) => (
          <table class="table fields">
            <caption class="sr">Options in force, secrets redacted</caption>
            <thead>
              <tr>
                <th scope="col">Option</th>
                <th scope="col">Value</th>
                <th scope="col">Source</th>
              </tr>
            </thead>
            <tbody>
              {settings.map((setting) => (
                <Option key={setting.option} setting={setting} />
              ))}
            </tbody>
          </table>
        )}
      </Shown>
    </section>
  )
}

function Option({ setting }: { readonly setting: Setting }) {
  return (
    <tr>
      <th scope="row">{setting.option}</th>
      <td>{inline(setting.value)}</td>
      <td>
        {setting.origin}
        {setting.insteadOf.length > 0 && <span class="quiet"> overrides {setting.insteadOf.join(', ')}</span>}
      </td>
    </tr>
  )
}

function Audit() {
  const pages = usePages('GET audit', {}, ({ id }) => id)
  return (
    <section class="card" aria-labelledby="audit-title">
      <h2 id="audit-title">Audit log</h2>
      <Shown answer={pages.first}>
        {() =>
          pages.items.length === 0 ? (
            <p class="quiet">No actions recorded yet.</p>
          ) : (
            <AuditRows entries={pages.items} />
          )
        }
      </Shown>
      {pages.more && (
        <p class="more">
          <Button onClick={pages.more}>Older entries</Button>
        </p>
      )}
    </section>
  )
}

function AuditRows({ entries }: { readonly entries: readonly AuditEntry[] }) {
  return (
    <table class="table rows">
      <caption class="sr">Who did what, newest first</caption>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Who</th>
          <th scope="col">Action</th>
          <th scope="col">Target</th>
          <th scope="col">Reason</th>
        </tr>
      </thead>
      <tbody>
        {entries.map((entry) => (
          <tr key={entry.id}>
            <td class="when">
              <Ago at={entry.at} />
            </td>
            <td class="about">
              {entry.actor} <span class="quiet">{entry.role}</span>
            </td>
            <td class="type">
              {entry.succeeded ? (
                entry.action.replaceAll('_', ' ')
              ) : (
                <Mark icon="cross" tone="bad" word={`${entry.action.replaceAll('_', ' ')}, failed`} />
              )}
            </td>
            <td class="about">{entry.target ?? '–'}</td>
            <td class="next">{entry.reason ?? ''}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}
