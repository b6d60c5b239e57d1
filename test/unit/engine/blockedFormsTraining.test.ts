import { createRandom } from '../../../src/ml/graph/random.ts';
import { blockedFormsEngine } from './blockedFormsEngine.ts';
import { seed } from './seed.ts';
import { testTraining } from './trainingContract.ts';

testTraining(blockedFormsEngine());

// The same choice for every model of a training, so that two of them compute to the bit alike.
testTraining(blockedFormsEngine(({ outputs }) => createRandom(seed, outputs.join()).next() < 0.6));
