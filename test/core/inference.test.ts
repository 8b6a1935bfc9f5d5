import { expect, test } from 'vitest';
import { type ProviderOptions, providerName, whatIsWrongWith } from '../../src/core/index.js';

test('a provider with options is checked, since ONNX Runtime passes over what it does not know', () => {
  for (const right of [
    'cpu',
    { name: 'cuda', deviceId: 1, shareMin: 0.9 },
    { name: 'webgpu', preferredLayout: 'NHWC' },
    { name: 'coreml', coreMlFlags: 16 },
  ] as const)
    expect(whatIsWrongWith(right)).toBeUndefined();
  const wrong = (options: object) => whatIsWrongWith(options as ProviderOptions);
  expect(wrong({ name: 'gpu' })).toBe("there is no provider 'gpu'");
  expect(wrong({ name: 'cuda', gpuMemLimit: 1 })).toBe("the provider 'cuda' has no option 'gpuMemLimit'");
  expect(wrong({ name: 'cuda', deviceId: -1 })).toBe("deviceId of the provider 'cuda' is -1");
  expect(wrong({ name: 'cuda', shareMin: 2 })).toBe("shareMin of the provider 'cuda' is 2");
  expect(wrong({ name: 'webgpu', deviceId: 0 })).toBe("the provider 'webgpu' has no option 'deviceId'");
  expect(wrong({ name: 'remote', url: 'http://triton/v2/models/a', tokenFrom: '' })).toContain('tokenFrom');
  expect(wrong({ name: 'remote', url: 'http://user:secret@triton/v2/models/a' })).toMatch(/^(?!.*secret).*credentials/);
  expect(wrong({ name: 'cpu', shareMin: 1 })).toBe("the provider 'cpu' has no option 'shareMin'");
});

test('a provider is named with its device', () => {
  expect(
    ['cpu', { name: 'cuda' }, { name: 'cuda', deviceId: 1 }].map((each) => providerName(each as ProviderOptions)),
  ).toEqual(['cpu', 'cuda', 'cuda:1']);
});
