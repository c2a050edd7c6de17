/** The dashboard, with the origins of options and the doctor's checks. */

import { resolveConfig } from '../config.ts'
import { type Configuration, DEFAULT, describeOrigin, type Flags } from '../configuration/configuration.ts'
import { shownOptions } from '../configuration/settings.ts'
import {
  type Check,
  createDashboardHandler,
  type DashboardHandler,
  type DashboardOptions,
  type Setting,
} from '../dashboard/index.ts'
import type { ClerkSync } from '../index.ts'
import { silentLogger } from '../log.ts'
import type { CheckedResult } from './check.ts'
import { examine } from './examine.ts'

type PassedOptions = Pick<DashboardOptions, 'environment' | 'simulator' | 'authorize' | 'readOnly'>

export interface DashboardParts extends PassedOptions {
  readonly sync: ClerkSync
  readonly options: Flags
  readonly configuration: Configuration
}

/** The route's own check takes an address, which nobody gave. */
const ROUTE_TIMEOUT_MS = 5_000

export function openDashboard(
  { sync, options, configuration, ...passed }: DashboardParts,
  webhookPath?: string,
): DashboardHandler {
  const examineAll = async () =>
    (await examine({ ...options, timeout: ROUTE_TIMEOUT_MS }, configuration, sync)).map(toCheck)
  return createDashboardHandler(sync, {
    ...passed,
    webhookPath,
    settings: () => settingsOf(configuration),
    checks: examineAll,
  })
}

function settingsOf(configuration: Configuration): Setting[] {
  const config = resolveConfig({ ...configuration.options, log: silentLogger }, process.env)
  return shownOptions(configuration, config).map(
    ({ option, value, origins: [origin = DEFAULT, ...others] }) => ({
      option,
      value,
      origin: describeOrigin(origin),
      insteadOf: others.map(describeOrigin),
    }),
  )
}

const STATUSES = { passed: 'pass', warning: 'warn', problem: 'fail', unclear: 'skip' } as const

function toCheck({ group, check, status, code, message, remedy }: CheckedResult): Check {
  return {
    group,
    name: check,
    status: STATUSES[status],
    code,
    message,
    detail: null,
    remedy: remedy ?? null,
  }
}
