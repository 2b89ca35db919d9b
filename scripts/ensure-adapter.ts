/**
 * Makes sure that the tests have a WebGPU adapter; they never skip for want of one. Run by `npm test` and
 * `npm run test:all`.
 *
 * An adapter that is there is named, and nothing is changed. If there is none, Debian as root gets the software one
 * (Mesa's llvmpipe); anyone else is told the commands, and the exit status is 1. Never run by `npm start`: a program
 * that a user starts does not install system packages.
 */

import { install } from './apt.ts';
import { adapterPlan, type Machine, readMachine, shellCommands } from './debian.ts';
import { probeAdapter } from './probe-adapter.ts';
import { runScript } from './run-script.ts';

/** What to tell someone whose machine has no adapter and cannot be given one from here. */
export function howToGetAnAdapter(machine: Machine): string {
  if (machine.platform !== 'linux')
    return `on ${machine.platform} the driver brings WebGPU: update the graphics driver`;
  const plan = adapterPlan(machine);
  const commands = plan
    ? shellCommands(plan)
    : [
        'Debian 13 or later, Ubuntu 24.04 or later:  sudo apt-get install mesa-vulkan-drivers libvulkan1',
        'Fedora:                                     sudo dnf install mesa-vulkan-drivers vulkan-loader',
        'Arch:                                       sudo pacman -S vulkan-swrast vulkan-icd-loader',
      ];
  return [
    'install a Vulkan driver; where there is no GPU, the software one (Mesa 24 or later):',
    ...commands.map((command) => `  ${command}`),
    'then run this again',
  ].join('\n');
}

async function ensureAdapter(): Promise<string> {
  const before = probeAdapter();
  if (before.kind === 'adapter') return before.name;
  console.log(before.kind === 'none' ? 'no WebGPU adapter was found' : 'the webgpu package does not run here');
  if (before.why) console.log(before.why);

  const machine = readMachine();
  const plan = adapterPlan(machine);
  if (!plan || !machine.root) throw new Error(howToGetAnAdapter(machine));

  console.log('installing the software adapter (Mesa llvmpipe)');
  await install(plan).catch((error: Error) => {
    throw new Error(`${error.message}\n${howToGetAnAdapter(machine)}`);
  });
  const after = probeAdapter();
  if (after.kind === 'adapter') return after.name;
  const limits = ['VK_DRIVER_FILES', 'VK_ICD_FILENAMES'].filter((name) => process.env[name] !== undefined);
  throw new Error(
    [
      `installed ${plan.packages.join(' and ')}, yet there is still no WebGPU adapter`,
      ...(after.why ? [after.why] : []),
      ...limits.map((name) => `${name}=${process.env[name]} limits the drivers that are looked at: try without it`),
    ].join('\n'),
  );
}

runScript(import.meta.url, async () => {
  console.log(`WebGPU adapter: ${await ensureAdapter()}`);
});
