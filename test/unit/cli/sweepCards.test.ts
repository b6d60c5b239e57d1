import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenCards, parseCardWish, trialsAtOnce } from '../../../src/ml/cli/sweepCards.ts';
import { firstCard, readNamedCards } from '../../../src/ml/engine/onnxruntime/cuda/nvidiaDriver.ts';

const uuids = ['GPU-aaaaaaaa-0000-1111-2222-333344445555', 'GPU-bbbbbbbb-0000-1111-2222-333344445555'];
const cards = readNamedCards(
  `0, ${uuids[0]}, NVIDIA H200, 580.95.05\n1, ${uuids[1]}, NVIDIA L4, 580.95.05\nwarning: nothing\n`,
);

test('cards are read from the lines of the driver', () => {
  assert.deepEqual(cards, [
    { number: 0, uuid: uuids[0], name: 'NVIDIA H200', driver: '580.95.05' },
    { number: 1, uuid: uuids[1], name: 'NVIDIA L4', driver: '580.95.05' },
  ]);
});

test('the card that CUDA takes first is named where that is certain', () => {
  const [first, second] = cards;
  assert.equal(firstCard(cards, undefined), undefined, 'CUDA counts different cards in an order of its own');
  assert.equal(firstCard(cards, `${uuids[1]},${uuids[0]}`), second);
  assert.equal(firstCard(cards, 'GPU-aaaa'), first);
  assert.equal(firstCard(cards, 'GPU-cccc'), undefined);
  const alike = cards.map((card) => ({ ...card, name: 'NVIDIA H200' }));
  assert.equal(firstCard(alike, '1')?.name, 'NVIDIA H200');
  assert.equal(firstCard([], undefined), undefined);
  assert.equal(firstCard({ reason: 'no NVIDIA driver is on this machine' }, undefined), undefined);
});

test('cards are named by what CUDA finds them by, in the order asked for', () => {
  assert.deepEqual(chosenCards('all', cards, undefined), uuids);
  assert.deepEqual(chosenCards([1], cards, undefined), [uuids[1]]);
  assert.deepEqual(chosenCards([1, 0], cards, undefined), [uuids[1], uuids[0]]);
});

test('cards that a scheduler gave are all there are, counted as CUDA does', () => {
  assert.deepEqual(chosenCards('all', cards, '1'), ['1']);
  assert.deepEqual(chosenCards([0], cards, `${uuids[1]},MIG-1`), [uuids[1]]);
  // CUDA ends the list at the first one that is none.
  assert.deepEqual(chosenCards('all', cards, '1, 0,-1,2'), ['1', '0']);
  assert.throws(() => chosenCards([1], cards, '1'), /there is no card 1; this machine has 0/u);
  for (const hidden of ['', '-1', 'none']) assert.throws(() => chosenCards('all', cards, hidden), /hides all cards/u);
});

test('what names no card is refused with the reason', () => {
  assert.throws(
    () => chosenCards('all', { reason: 'no NVIDIA driver is on this machine' }, undefined),
    /no NVIDIA driver/u,
  );
  assert.throws(() => chosenCards([2], cards, undefined), /there is no card 2; this machine has 0, 1/u);
  assert.deepEqual(parseCardWish('0, 2'), [0, 2]);
  for (const wrong of ['', 'some', '0,', '-1', '1.5'])
    assert.throws(() => parseCardWish(wrong), /takes all, or numbers/u);
  assert.throws(() => parseCardWish('1,0,1'), /twice/u);
});

test('one trial trains per card, and no more', () => {
  assert.equal(trialsAtOnce(undefined, undefined), 1);
  assert.equal(trialsAtOnce(3, undefined), 3);
  assert.equal(trialsAtOnce(undefined, uuids), 2);
  assert.equal(trialsAtOnce(1, uuids), 1);
  assert.throws(() => trialsAtOnce(3, uuids), /--parallel 3 is more than there are cards/u);
});
