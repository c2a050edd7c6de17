/** Metrics for Prometheus. `clerk-sync/metrics` */

export { createMetrics, type Metrics, type MetricsOptions } from './metrics.ts'
