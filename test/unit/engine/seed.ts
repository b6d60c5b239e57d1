/** Seed of this run's random tests, printed so that a failure can be repeated. */
export const seed = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
console.log(`seed ${seed} (set TEST_SEED to repeat)`);
