/** Durations for people. */

export function formatDuration(milliseconds: number): string {
  if (milliseconds < 1_000) return `${Math.round(milliseconds)}ms`
  if (milliseconds < 60_000) return `${(milliseconds / 1_000).toFixed(1)}s`
  const minutes = Math.floor(milliseconds / 60_000)
  return minutes < 60
    ? `${minutes}m ${Math.floor((milliseconds % 60_000) / 1_000)}s`
    : `${Math.floor(minutes / 60)}h ${minutes % 60}m`
}
