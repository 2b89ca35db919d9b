/** The commands that check downhill itself, and those that explain it: compare, gradcheck, info, help. */
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.ts';
import { jsonOf, runCli } from './run-cli.ts';

describe('compare', () => {
  test('finds the same losses and gradients on the device as in f64', async () => {
    const words = ['compare', '--backend', 'webgpu', '--model', 'lenet', '--steps', '3', '--batch-size', '16'];
    const result = await jsonOf(words);
    expect(result).toMatchObject({ ok: true, model: 'lenet', dataset: 'digits', backend: 'webgpu', steps: 3 });
    expect(result.reference).toBe('CPU (f64 reference)');
    const losses = result.losses as { step: number; reference: number; device: number; difference: number }[];
    expect(losses.map(({ step }) => step)).toEqual([1, 2, 3]);
    for (const { reference, device, difference } of losses) {
      expect(difference).toBeCloseTo(Math.abs(device - reference) / reference, 12);
      expect(reference).not.toBe(device);
    }
    const gradients = result.gradients as { name: string; atStep1: number; afterStep1: number }[];
    expect(gradients).toHaveLength(10);
    for (const { atStep1, afterStep1 } of gradients) {
      expect(atStep1).toBeGreaterThan(0);
      expect(Math.max(atStep1, afterStep1)).toBeLessThanOrEqual(result.maxGradientDifference as number);
    }
    expect(result.maxLossDifference).toBeLessThanOrEqual(1e-3);
    expect(result.maxGradientDifference).toBeLessThanOrEqual(1e-4);
  });

  test('counts the steps over more than one epoch', async () => {
    const words = ['compare', '--backend', 'cpu', '--model', 'softmax', '--batch-size', '8000', '--steps', '2'];
    const result = await jsonOf(words);
    expect(result).toMatchObject({ ok: true, backend: 'cpu', adapter: 'CPU (f32)' });
    expect(result.losses).toHaveLength(2);
  });
});

describe('gradcheck', () => {
  test('passes for every op', async () => {
    const result = await jsonOf(['gradcheck']);
    expect(result).toMatchObject({ ok: true, failed: [], tolerance: 1e-6 });
    expect(result.checked).toBeGreaterThan(40);
  });

  test('takes one op, on the device', async () => {
    const result = await jsonOf(['gradcheck', '--op', 'matmul', '--backend', 'webgpu', '--seed', '5']);
    expect(result).toMatchObject({ ok: true, checked: 1 });
    expect(result.ops).toMatchObject([{ op: 'matmul', state: 'checked' }]);
    expect((result.ops as { error: number }[])[0].error).toBeGreaterThan(1e-9);
  });

  test('takes a model', async () => {
    const result = await jsonOf(['gradcheck', '--model', 'lenet']);
    expect(result).toMatchObject({ ok: true, model: 'lenet', checked: 10 });
    expect(result.parameters).toHaveLength(10);
  });
});

describe('info', () => {
  test('tells versions, adapter, features and limits', async () => {
    const result = await jsonOf(['info']);
    expect(result).toMatchObject({ node: process.versions.node, backends: { cpu: { available: true } } });
    const { webgpu } = result.backends as { webgpu: { available: boolean; adapter: Record<string, unknown> } };
    expect(webgpu.available).toBe(true);
    expect(webgpu.adapter.limits).toMatchObject({ maxComputeWorkgroupsPerDimension: 65535 });
  });

  test('exits with 0 without an adapter, and says what to install', async () => {
    const result = await jsonOf(['info'], { env: { VK_DRIVER_FILES: '/dev/null' } });
    expect(result.backends).toMatchObject({ webgpu: { available: false }, cpu: { available: true } });
    expect(JSON.stringify(result.backends)).toContain('mesa-vulkan-drivers');
  });
});

describe('help', () => {
  test('lists every command', async () => {
    for (const words of [[], ['help'], ['--help']]) {
      const { status, stdout } = await runCli(words);
      expect(status).toBe(0);
      for (const { name, doc } of COMMANDS) expect(stdout).toMatch(new RegExp(`^ {2}${name} +${doc}$`, 'm'));
    }
  });

  test.each(COMMANDS.map(({ name }) => name))('describes the options of %s', async (name) => {
    const { status, stdout } = await runCli([name, '--help']);
    expect(status).toBe(0);
    expect((await runCli(['help', name])).stdout).toBe(stdout);
    for (const option of ['--backend webgpu|cpu', '--seed N', '--json', '--help'])
      expect(stdout).toContain(`  ${option} `);
    expect(stdout).toContain(`example: downhill ${name}`);
  });

  test('tells the version', async () => {
    expect((await runCli(['--version'])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});
