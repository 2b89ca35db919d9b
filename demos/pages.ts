/** The pages of the site, in the order of the navigation. `path` is the folder; '' is the start page. */

export interface SitePage {
  readonly path: string;
  readonly title: string;
  /** One line, for the start page and for search engines. */
  readonly summary: string;
  /** Of no use without WebGPU. */
  readonly needsWebGPU?: boolean;
}

export const PAGES: readonly SitePage[] = [
  { path: '', title: 'downhill', summary: 'Neural networks that train on your own GPU, in this tab.' },
  { path: 'digits', title: 'Digits', summary: 'A convolutional network learns handwritten digits while you draw one.' },
  { path: 'images', title: 'Images', summary: 'VGG and ResNet on Fashion-MNIST or CIFAR-10, with augmentation.' },
  {
    path: 'playground',
    title: 'Playground',
    summary: 'Turn the knobs of a small network and watch its decision surface.',
  },
  { path: 'optimizers', title: 'Optimizer race', summary: 'Seven optimizers run down the same loss surface.' },
  {
    path: 'race',
    title: 'CPU against GPU',
    summary: 'The same training twice: equal losses, different speeds.',
  },
  {
    path: 'kernels',
    title: 'Kernels',
    summary: 'What your adapter can do, and how close each kernel comes.',
    needsWebGPU: true,
  },
  {
    path: 'self-test',
    title: 'Self-test',
    summary: 'Every kernel, forward and backward, against the CPU on your adapter.',
  },
];

export function pageOf(path: string): SitePage {
  const page = PAGES.find((one) => one.path === path);
  if (page === undefined) throw new Error(`demos/pages.ts lists no page "${path}"`);
  return page;
}
