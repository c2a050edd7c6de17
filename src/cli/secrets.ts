/** The signing secrets, for commands that use them themselves. */

import { resolveConfig } from '../config.ts'
import type { Logger } from '../log.ts'

/** The configured signing secrets, as they are written; none if there are none. */
export function signingSecrets(log: Logger): readonly string[] {
  return resolveConfig({ log }, process.env).signingSecrets
}
