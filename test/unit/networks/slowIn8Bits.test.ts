import assert from 'node:assert/strict';
import { test } from 'node:test';
import { listNetworks } from '../../../src/ml/networks/registry.ts';
import { slowFamilies, slowIn8Bits } from '../../../src/ml/networks/slowIn8Bits.ts';

test('8 bits are said to be slow for the families where they were, and for no other', () => {
  const said = (name: string) => slowIn8Bits({ kind: 'architecture', name });
  assert.match(said('maxvit_t') ?? '', /^Networks of the family MaxViT were slower in 8 bits/);
  assert.match(said('timm/vit_small_patch14_dinov2.lvd142m') ?? '', /the family ViT of timm/);
  for (const name of ['swin_t', 'swin_v2_t', 'resnet50', 'timm/vit_small_patch16_dinov3.lvd1689m'])
    assert.equal(said(name), undefined, name);
  const families = new Set(listNetworks().map(({ family }) => family));
  for (const family of slowFamilies) assert.ok(families.has(family), family);
});
