import type { Random } from '../graph/random.ts';

/** How one kind of flower looks; ranges are drawn from anew for every picture. */
export interface FlowerKind {
  readonly name: string;
  readonly petals: readonly [fewest: number, most: number];
  /** Width of a petal as a share of its length. */
  readonly petalWidth: readonly [number, number];
  readonly shape: 'round' | 'pointed' | 'notched' | 'heart';
  /** Hues in degrees, saturation and lightness in per cent. */
  readonly hues: readonly [number, number];
  readonly saturation: readonly [number, number];
  readonly lightness: readonly [number, number];
  /** Rings of petals, outer to inner. */
  readonly rings: number;
  readonly centre: {
    readonly hue: number;
    readonly lightness: number;
    readonly size: number;
    readonly stamens: number;
  };
  readonly leaf: 'lance' | 'round';
}

export const flowerKinds: readonly FlowerKind[] = [
  {
    name: 'daisy',
    petals: [16, 24],
    petalWidth: [0.2, 0.28],
    shape: 'round',
    hues: [330, 420],
    saturation: [15, 60],
    lightness: [84, 97],
    rings: 1,
    centre: { hue: 46, lightness: 50, size: 0.3, stamens: 60 },
    leaf: 'lance',
  },
  {
    name: 'sunflower',
    petals: [18, 28],
    petalWidth: [0.22, 0.3],
    shape: 'pointed',
    hues: [40, 52],
    saturation: [85, 98],
    lightness: [48, 58],
    rings: 2,
    centre: { hue: 25, lightness: 18, size: 0.44, stamens: 90 },
    leaf: 'round',
  },
  {
    name: 'forget-me-not',
    petals: [5, 5],
    petalWidth: [0.85, 1],
    shape: 'round',
    hues: [205, 235],
    saturation: [55, 85],
    lightness: [60, 75],
    rings: 1,
    centre: { hue: 50, lightness: 60, size: 0.16, stamens: 5 },
    leaf: 'lance',
  },
  {
    name: 'wild rose',
    petals: [5, 6],
    petalWidth: [0.9, 1.08],
    shape: 'heart',
    hues: [325, 350],
    saturation: [50, 85],
    lightness: [68, 84],
    rings: 1,
    centre: { hue: 48, lightness: 62, size: 0.2, stamens: 34 },
    leaf: 'round',
  },
  {
    name: 'cornflower',
    petals: [9, 13],
    petalWidth: [0.36, 0.48],
    shape: 'notched',
    hues: [222, 258],
    saturation: [60, 90],
    lightness: [46, 60],
    rings: 2,
    centre: { hue: 285, lightness: 30, size: 0.24, stamens: 26 },
    leaf: 'lance',
  },
];

/** Size of a drawn picture, in pixels. */
export const drawingSize = { width: 320, height: 256 } as const;

/** A picture of one flower as SVG: background, leaves, stem, flower and light vary with `random`. */
export function drawFlower(kind: FlowerKind, random: Random): string {
  const { width, height } = drawingSize;
  const pick = picker(random);
  const radius = pick(52, 104);
  const [x, y] = [width / 2 + pick(-58, 58), height / 2 + pick(-42, 30)];
  const tilt = pick(0.68, 1);
  const lean = pick(-25, 25);
  const parts = [
    background(kind, pick),
    stemAndLeaves(kind, pick, x, y, radius),
    shadow(x, y, radius, tilt, lean),
    `<g transform="translate(${x} ${y}) rotate(${lean}) scale(1 ${tilt}) rotate(${pick(0, 360)})">`,
    blossom(kind, pick, radius),
    '</g>',
    light(pick),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${parts.join('')}</svg>`;
}

type Pick = (low: number, high: number) => number;

/** Uniform numbers with two decimals, which is enough for a drawing. */
function picker(random: Random): Pick {
  return (low, high) => Math.round((low + (high - low) * random.next()) * 100) / 100;
}

function hsl(hue: number, saturation: number, lightness: number): string {
  return `hsl(${Math.round(((hue % 360) + 360) % 360)},${Math.round(saturation)}%,${Math.round(lightness)}%)`;
}

type ColourRanges = Readonly<Record<'hue' | 'saturation' | 'lightness', readonly [number, number]>>;

const meadow: ColourRanges = { hue: [80, 140], saturation: [25, 55], lightness: [22, 48] };

/** Meadow, earth, sky or a dark studio wall, out of focus. */
function background(kind: FlowerKind, pick: Pick): string {
  const places: readonly ColourRanges[] = [
    meadow,
    { hue: [20, 40], saturation: [20, 40], lightness: [22, 45] },
    { hue: [195, 215], saturation: [30, 60], lightness: [55, 80] },
    { hue: [90, 160], saturation: [5, 20], lightness: [8, 18] },
  ];
  const place = places[Math.floor(pick(0, 3.99))] ?? meadow;
  const tone = (shift: number) =>
    hsl(pick(...place.hue), pick(...place.saturation), Math.min(92, Math.max(4, pick(...place.lightness) + shift)));
  const blobs = Array.from({ length: 16 }, (_, index) =>
    softSpot(`blob${index}`, tone(pick(-14, 14)), pick(22, 90), pick(0.4, 1), pick),
  );
  const blades = Array.from({ length: 14 }, () => {
    const at = pick(-20, 340);
    return `<path d="M${at} 262 Q${at + pick(-25, 25)} ${pick(120, 200)} ${at + pick(-60, 60)} ${pick(40, 170)}" stroke="${tone(pick(-12, 16))}" stroke-width="${pick(2, 7)}" fill="none" opacity="0.6"/>`;
  });
  return `<defs><linearGradient id="ground" x1="0" y1="0" x2="${pick(0, 0.5)}" y2="1"><stop offset="0" stop-color="${tone(8)}"/><stop offset="1" stop-color="${tone(-8)}"/></linearGradient></defs><rect width="320" height="256" fill="url(#ground)"/>${blobs.join('')}${distantFlowers(kind, pick)}${blades.join('')}`;
}

/** Something out of focus: a spot that fades to its rim, anywhere. A gradient costs far less than a blur. */
function softSpot(id: string, colour: string, radius: number, flatness: number, pick: Pick): string {
  const gradient = `<radialGradient id="${id}"><stop offset="${pick(0.2, 0.6)}" stop-color="${colour}"/><stop offset="1" stop-color="${colour}" stop-opacity="0"/></radialGradient>`;
  return `<defs>${gradient}</defs><ellipse cx="${pick(0, 320)}" cy="${pick(0, 256)}" rx="${radius}" ry="${radius * flatness}" fill="url(#${id})" opacity="${pick(0.3, 0.8)}"/>`;
}

/** Other blossoms of the kind far behind, as colours without form. */
function distantFlowers(kind: FlowerKind, pick: Pick): string {
  return Array.from({ length: Math.floor(pick(0, 4)) }, (_, index) => {
    const colour = hsl(pick(...kind.hues), pick(...kind.saturation), pick(...kind.lightness));
    return softSpot(`distant${index}`, colour, pick(12, 34), 1, pick);
  }).join('');
}

function stemAndLeaves(kind: FlowerKind, pick: Pick, x: number, y: number, radius: number): string {
  const foot = x + pick(-60, 60);
  const green = (lightness: number) => hsl(pick(85, 130), pick(35, 60), lightness);
  const stem = `<path d="M${x} ${y} Q${x + pick(-20, 20)} ${(y + 262) / 2} ${foot} 262" stroke="${green(pick(25, 38))}" stroke-width="${pick(4, 8)}" fill="none"/>`;
  const leaves = Array.from({ length: Math.floor(pick(1, 4.99)) }, () => {
    const length = radius * pick(0.8, 1.5);
    const half = length * (kind.leaf === 'round' ? pick(0.22, 0.34) : pick(0.07, 0.13));
    const place = `translate(${(x + foot) / 2 + pick(-12, 12)} ${pick(y + radius * 0.6, 256)}) rotate(${pick(-170, -10)})`;
    const shape = `M0 0 C${length * 0.3} ${-half * 1.6} ${length * 0.7} ${-half * 1.2} ${length} 0 C${length * 0.7} ${half * 1.2} ${length * 0.3} ${half * 1.6} 0 0Z`;
    return `<g transform="${place}"><path d="${shape}" fill="${green(pick(22, 42))}"/><path d="M0 0 L${length * 0.92} 0" stroke="${green(50)}" stroke-width="1" opacity="0.6"/></g>`;
  });
  return stem + leaves.join('');
}

function shadow(x: number, y: number, radius: number, tilt: number, lean: number): string {
  const gradient =
    '<defs><radialGradient id="shadow"><stop offset="0.5" stop-opacity="0.4"/><stop offset="1" stop-opacity="0"/></radialGradient></defs>';
  return `${gradient}<circle transform="translate(${x + 5} ${y + 9}) rotate(${lean}) scale(1 ${tilt})" r="${radius * 1.1}" fill="url(#shadow)"/>`;
}

function blossom(kind: FlowerKind, pick: Pick, radius: number): string {
  const count = Math.round(pick(...kind.petals));
  const hue = pick(...kind.hues);
  const saturation = pick(...kind.saturation);
  const lightness = pick(...kind.lightness);
  const gradient = `<defs><radialGradient id="petal" gradientUnits="userSpaceOnUse" cx="0" cy="0" r="${radius}"><stop offset="0.15" stop-color="${hsl(hue + pick(-14, 14), saturation, lightness * pick(0.55, 0.8))}"/><stop offset="0.6" stop-color="${hsl(hue, saturation, lightness)}"/><stop offset="1" stop-color="${hsl(hue + pick(-6, 6), saturation, Math.min(98, lightness * 1.08))}"/></radialGradient></defs>`;
  const rings = Array.from({ length: kind.rings }, (_, ring) => {
    const length = radius * (1 - ring * 0.24);
    const turn = (ring * 180) / count;
    return Array.from({ length: count }, (_unused, index) => {
      const width = length * pick(...kind.petalWidth);
      const angle = turn + (index * 360) / count + pick(-4, 4);
      const path = petalPath(kind.shape, length * pick(0.92, 1.04), width);
      const line = hsl(hue, saturation * 0.9, lightness * 0.62);
      return `<g transform="rotate(${angle})"><path d="${path}" fill="url(#petal)" stroke="${line}" stroke-width="0.9" stroke-opacity="0.7"/><path d="M${length * 0.2} 0 L${length * 0.8} ${pick(-1, 1)}" stroke="${line}" stroke-width="0.7" opacity="0.4"/></g>`;
    }).join('');
  });
  return gradient + rings.join('') + heart(kind, pick, radius);
}

/** The outline of a petal that lies along the x axis, its base at the origin. */
function petalPath(shape: FlowerKind['shape'], length: number, width: number): string {
  const half = width / 2;
  const at = (x: number, y: number) => `${(x * length).toFixed(1)} ${(y * half).toFixed(1)}`;
  switch (shape) {
    case 'round':
      return `M0 0 C${at(0.2, -0.5)} ${at(0.45, -1.15)} ${at(0.75, -1)} C${at(1.08, -0.8)} ${at(1.08, 0.8)} ${at(0.75, 1)} C${at(0.45, 1.15)} ${at(0.2, 0.5)} 0 0Z`;
    case 'pointed':
      return `M0 0 C${at(0.2, -1)} ${at(0.6, -1.2)} ${at(1, 0)} C${at(0.6, 1.2)} ${at(0.2, 1)} 0 0Z`;
    case 'heart':
      return `M0 0 C${at(0.15, -0.6)} ${at(0.5, -1.3)} ${at(0.85, -1)} C${at(1.08, -0.75)} ${at(1.06, -0.2)} ${at(0.9, 0)} C${at(1.06, 0.2)} ${at(1.08, 0.75)} ${at(0.85, 1)} C${at(0.5, 1.3)} ${at(0.15, 0.6)} 0 0Z`;
    case 'notched':
      return `M0 0 C${at(0.3, -0.2)} ${at(0.6, -0.7)} ${at(0.95, -1.2)} L${at(0.82, -0.55)} L${at(1.06, -0.4)} L${at(0.86, 0)} L${at(1.06, 0.4)} L${at(0.82, 0.55)} L${at(0.95, 1.2)} C${at(0.6, 0.7)} ${at(0.3, 0.2)} 0 0Z`;
  }
}

/** The disc in the middle with its stamens, set in the spiral that florets grow in. */
function heart({ centre }: FlowerKind, pick: Pick, radius: number): string {
  const size = radius * centre.size * pick(0.85, 1.15);
  const disc = `<circle r="${size}" fill="${hsl(centre.hue, 75, centre.lightness)}" stroke="${hsl(centre.hue - 8, 70, centre.lightness * 0.6)}" stroke-width="1.5"/>`;
  const dots = Array.from({ length: centre.stamens }, (_, index) => {
    const distance = size * 0.95 * Math.sqrt((index + 0.5) / centre.stamens);
    const angle = index * 2.39996;
    const shade = centre.lightness * pick(0.6, 1.5);
    return `<circle cx="${(distance * Math.cos(angle)).toFixed(1)}" cy="${(distance * Math.sin(angle)).toFixed(1)}" r="${(size * pick(0.05, 0.1)).toFixed(1)}" fill="${hsl(centre.hue + pick(-8, 8), 80, shade)}"/>`;
  });
  return disc + dots.join('');
}

/** Sun from one side, shade from the other, and a tint over all. */
function light(pick: Pick): string {
  const angle = pick(0, 360);
  const sun = pick(0, 0.3);
  const shade = pick(0, 0.45);
  const tint = pick(0, 1) < 0.5 ? '#ffb060' : '#6090ff';
  return `<defs><linearGradient id="light" gradientTransform="rotate(${angle} 0.5 0.5)"><stop offset="0" stop-color="#fff" stop-opacity="${sun}"/><stop offset="0.5" stop-color="#fff" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity="${shade}"/></linearGradient></defs><rect width="320" height="256" fill="url(#light)"/><rect width="320" height="256" fill="${tint}" opacity="${pick(0, 0.12)}"/>`;
}
