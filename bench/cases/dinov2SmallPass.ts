import { passAndHeadCase } from '../passAndHeadCase.ts';

export const benchCase = passAndHeadCase('DINOv2 small, frozen', 'float32');
