import type { Simulation } from './simulation.ts'

/**
 * The simulation that runs. The product's modules reach for globals and imports, which know of no
 * instance; whatever stands in for those asks here.
 */
let running: Simulation | null = null

export function current(): Simulation {
  if (running === null) throw new Error('no simulation runs')
  return running
}

export function setCurrent(simulation: Simulation | null): void {
  running = simulation
}
