/** What a tunnel is: a way in from outside, so that Clerk can reach a machine without an address of its own. */

export interface Tunnel {
  /** What to enter in Clerk’s dashboard. */
  readonly url: string
  close(): Promise<void>
}

export interface TunnelOptions {
  /** The webhook route on this machine. */
  readonly route: URL
  /** Told what people should know while it is open. */
  readonly notify: (message: string) => void
  /** Told that it has closed by itself. */
  readonly onLost: (reason: string) => void
  readonly environment: NodeJS.ProcessEnv
}
