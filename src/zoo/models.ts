/** The models of the zoo as functions, with the types of their options: what `downhill` exports of them. */

export { type AlexNetOptions, alexNet } from './alexnet.ts';
export { convolutionalAutoencoder, denoisingAutoencoder, denseAutoencoder, sparseAutoencoder } from './autoencoders.ts';
export { type CapsuleNetworkOptions, capsuleNetwork, smallCapsuleNetwork } from './capsule-network.ts';
export { type CifarVggOptions, cifarVgg } from './cifar-vgg.ts';
export { type GoogLeNetOptions, googLeNet } from './googlenet.ts';
export { lenet5 } from './lenet.ts';
export { linearRegression, logisticRegression, perceptron, softmaxRegression } from './linear-models.ts';
export { mlp, mlpBatchNorm, mlpDropout, mlpRelu, mlpSigmoid } from './mlp.ts';
export type { ClassifierOptions, ImageNetOptions, ZooOptions } from './options.ts';
export { resNet18, resNet20, resNet34, resNet50, resNet101, resNet152 } from './resnet.ts';
export {
  type VariationalAutoencoderOptions,
  type VariationalOptions,
  variationalAutoencoder,
  variationalDecoder,
} from './variational-autoencoder.ts';
export { vgg16, vgg19 } from './vgg.ts';
