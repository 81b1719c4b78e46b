using Harness.Experiments.Commands;

return await CommandLine.Run(args).ConfigureAwait(false);
