/** Stub of the program that executes runs in child processes: replies at once, or exits as the run's name says. */
const measured = { testAccuracy: 0.5, trainSeconds: 0.01 };
process.on('message', ({ network }) => {
  if (network === 'killed') process.kill(process.pid, 'SIGKILL');
  else if (network === 'throws') process.send({ kind: 'failed', name: 'DivergedError', message: 'loss is NaN' });
  else if (network === 'slow') setTimeout(() => process.send({ kind: 'result', measured }), 60_000);
  else process.send({ kind: 'result', measured });
});
process.on('disconnect', () => process.exit());
process.send({ kind: 'ready', backend: 'webgpu', info: 'stand-in' });
