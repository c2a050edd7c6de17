import { expect, it } from 'vitest'
import { maskJson } from '../../src/inspect/masking.ts'
import samples from '../../src/testing/sample-events.json' with { type: 'json' }

/** Clerk says from where something was done, in every event and in sessions. */
const ADDRESS = /"(?:client_ip|ip_address)":"([^"]+)"/

it.each(Object.entries(samples))('hides in %s from which address it came', (_, event) => {
  const [, address = 'none'] = ADDRESS.exec(JSON.stringify(event)) ?? []
  expect(JSON.stringify(maskJson(event))).not.toContain(address)
})

it('leaves what only ends like the name of an address', () => {
  expect(maskJson({ zip: 'zip', clip: 'clip' })).toEqual({ zip: 'zip', clip: 'clip' })
})
