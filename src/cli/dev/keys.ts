/** The keys of `dev`, and what its footer says. */

import { spawn } from 'node:child_process'
import { countOf } from '../../count-of.ts'
import type { ClerkSync } from '../../index.ts'
import { createSimulator } from '../../simulation/simulator.ts'
import type { Output } from '../output.ts'
import { countWords } from '../serving.ts'
import { printable } from '../text.ts'
import { type Binding, Controls, type Watched } from './controls.ts'
import type { Running } from './session.ts'

export function controlsOf(running: Running, quit: () => void): Controls {
  const bind = (controls: Controls) => bindingsOf(running, controls, quit)
  return new Controls(running.output, () => watch(running), bind)
}

function bindingsOf(running: Running, controls: Controls, quit: () => void): Binding[] {
  const { options, output, sync, simulation, tunnelSession, dashboard } = running
  const toggleTunnel = () => tunnelSession.toggle(options.tunnel ?? 'clerk')
  const askFilter = () => controls.askFilter((text) => filter(running, text))
  return [
    ['[s]end event', 'send an event: a user signs up', () => send(running)],
    ['[r]etry failed', 'retry failed handlers and replay failed events', () => retry(sync, output)],
    ['[o]pen', 'open the dashboard', () => openInBrowser(dashboard, output)],
    ['[f]ilter', 'show only lines that contain a text', askFilter],
    // Real people do not belong among simulated ones.
    simulation
      ? ['[p]ause', 'pause or resume the simulated traffic', () => simulation.toggle()]
      : ['[t]unnel', 'open or close a tunnel for real events', toggleTunnel],
    ['[c]lear', 'clear the screen', () => controls.clear()],
    ['[?]', 'show this', () => controls.explain()],
    ['[q]uit', 'quit', quit],
  ]
}

async function send({ sync, secret, simulation }: Running): Promise<void> {
  if (simulation) await simulation.act()
  else await createSimulator(sync, secret).send('user.created', undefined)
}

function watch({ log, server, simulation, tunnelSession, forwarding }: Running): Watched {
  const failing = [...log.failing.values()]
  const words = ['retrying', 'dead'].map(
    (ending) => [failing.filter((each) => each === ending).length, ending] as const,
  )
  const failures = words.filter(([count]) => count > 0).map((word) => word.join(' '))
  const counts = [...countWords({ outcomes: log.outcomes, answers: server.answers }), ...failures]
  const source = simulation?.isPaused ? 'paused' : 'live'
  const trouble = forwarding?.trouble
  const facts = [
    source,
    ...(tunnelSession.isOpen ? ['tunnel open'] : []),
    ...(forwarding && trouble === undefined ? [forwarding.wellbeing] : []),
  ]
  return { counts, p95: log.p95, activity: facts.join(', '), trouble }
}

/** Runs of handlers, whether they are tried again by themselves or not, and events that the database refused. */
async function retry(sync: ClerkSync, output: Output): Promise<void> {
  const runs = await sync.handlers.retry({}, { note: 'dev' })
  const events = await sync.replay({ outcomes: ['failed'] })
  output.note(
    `  Tried again: ${countOf(runs.changed, 'run')}. Applied: ${events.applied} of ${countOf(events.matched, 'event')}.`,
  )
}

function filter({ log, output }: Running, text: string): void {
  log.filter = text
  output.note(text === '' ? '  Every line is shown.' : `  Only lines with "${printable(text)}" are shown.`)
}

const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer' }

/** With the program of BROWSER, which is also how to say that there is none. */
function openInBrowser(url: string, output: Output): void {
  const { BROWSER } = process.env
  const printUrl = () => output.note(`  Open ${url}`)
  if (BROWSER === 'none') {
    printUrl()
    return
  }
  const program = BROWSER || OPENERS[process.platform] || 'xdg-open'
  spawn(program, [url], { stdio: 'ignore', detached: true }).once('error', printUrl).unref()
}
