/**
 * What Conv1D, Conv2D and Conv3D share: `filters`, `groups` and one kernel [...kernelSize, C/groups, filters].
 */

import { DownhillError } from '../../../util/errors.ts';
import { formatShape, type Shape } from '../../../util/shape.ts';
import { wholeNumber } from '../../check-options.ts';
import type { InitializerLike } from '../../initializers.ts';
import type { WeightRuleOptions } from '../../weight-rules.ts';
import type { Sizes } from '../../windows.ts';
import { Convolution, type ConvolutionOptions } from './convolution.ts';

export interface GroupedConvolutionOptions<S extends Sizes> extends ConvolutionOptions<S>, WeightRuleOptions<'kernel'> {
  /** Count of output channels. */
  readonly filters: number;
  /** Channels and filters are cut into so many groups that do not see each other; 1 when left out. */
  readonly groups?: number;
  /** `glorotUniform` when left out. */
  readonly kernelInitializer?: InitializerLike;
}

export abstract class GroupedConvolution extends Convolution {
  protected readonly filters: number;
  protected readonly groups: number;

  constructor(owner: string, axes: number, options: GroupedConvolutionOptions<Sizes>, paddings?: readonly string[]) {
    const filters = wholeNumber(owner, 'filters', options?.filters);
    const groups = wholeNumber(owner, 'groups', options.groups ?? 1);
    super(options, { owner, axes, own: { filters, groups }, kernels: ['kernelInitializer'], paddings });
    this.filters = filters;
    this.groups = groups;
    if (filters % groups !== 0) {
      const fit = `filters such as ${Math.ceil(filters / groups) * groups}`;
      throw new DownhillError('argument', `${owner}: groups ${groups} must divide filters ${filters}; use ${fit}`);
    }
  }

  protected override kernelShapes(inputShape: Shape) {
    const channels = inputShape[inputShape.length - 1];
    if (channels % this.groups !== 0) {
      const found = `the ${channels} channels of examples ${formatShape(inputShape)}`;
      throw new DownhillError('shape', `${this.label}: groups ${this.groups} must divide ${found}`);
    }
    return [['kernel', [...this.kernelSize, channels / this.groups, this.filters]]] as const;
  }

  protected override outputChannels(): number {
    return this.filters;
  }
}
