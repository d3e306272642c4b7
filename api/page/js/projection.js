/* Longitude and latitude to pixels of one frame: equirectangular, true to scale at the frame's middle. */

const RADIANS = Math.PI / 180;

/** Fit `box` = [west, south, east, north] into the padded rectangle; `drift` and `sink` share out the room left over. */
export function fit(box, width, height, padding) {
  const [west, south, east, north] = box;
  const squeeze = Math.cos(((south + north) / 2) * RADIANS);
  const room = [width - padding.left - padding.right, height - padding.top - padding.bottom];
  const scale = Math.min(room[0] / ((east - west) * squeeze), room[1] / (north - south));
  const x0 = padding.left + (room[0] - (east - west) * squeeze * scale) * padding.drift;
  const y0 = padding.top + (room[1] - (north - south) * scale) * padding.sink;
  return ([longitude, latitude]) => [x0 + (longitude - west) * squeeze * scale, y0 + (north - latitude) * scale];
}

const METRES_PER_DEGREE = 111_200;

export const pixelsPerMetre = (project, [longitude, latitude]) =>
  Math.abs(project([longitude, latitude])[1] - project([longitude, latitude + 0.01])[1]) / (0.01 * METRES_PER_DEGREE);

export const inside = ([west, south, east, north], [longitude, latitude]) =>
  longitude >= west && longitude <= east && latitude >= south && latitude <= north;

/** Where the way from `from` (inside) to `to` leaves the box. */
export function leave([west, south, east, north], from, to) {
  const along = (a, b, low, high) => (b > high ? (high - a) / (b - a) : b < low ? (low - a) / (b - a) : 1);
  const share = Math.min(along(from[0], to[0], west, east), along(from[1], to[1], south, north));
  return [from[0] + (to[0] - from[0]) * share, from[1] + (to[1] - from[1]) * share];
}

/** The rings of a GeoJSON polygon or multipolygon geometry as one SVG path. */
export function path(geometry, project) {
  const polygons = geometry.type === "MultiPolygon" ? geometry.coordinates : [geometry.coordinates];
  return polygons.flat().map((ring) => `M${ring.map((point) => pair(project(point))).join("L")}Z`).join("");
}

const pair = ([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`;
