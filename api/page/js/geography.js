/* What is shown where, and which way a road sensor looks. Places are [longitude, latitude]. */

/** Frames in the order in which they claim sites: the terminals enlarged, the eastern basin, then the gulf around. */
export const FRAMES = [
  { id: "lens", box: [4.8095, 43.4035, 4.8565, 43.4315], padding: { top: 40, right: 74, bottom: 26, left: 74, drift: 0.5, sink: 0.5 } },
  { id: "east", box: [5.327, 43.303, 5.373, 43.3585], padding: { top: 38, right: 40, bottom: 18, left: 40, drift: 0.5, sink: 0.5 } },
  { id: "gulf", box: [4.79, 43.396, 5.034, 43.499], padding: { top: 34, right: 84, bottom: 4, left: 64, drift: 0.12, sink: 0 }, wide: true },
];

/* Where the directions of the roads lead to. */
const PLACES = {
  Arles: [4.628, 43.677],
  Distriport: [4.808, 43.415],
  Fos: [4.945, 43.44],
  Graveleau: [4.84, 43.415],
  Istres: [4.988, 43.513],
  "L'Estaque": [5.314, 43.361],
  "La Fossette": [4.862, 43.462],
  Marseille: [5.37, 43.296],
  Martigues: [5.05, 43.405],
  "Port-Saint-Louis": [4.805, 43.388],
  "Saint-Gervais": [4.955, 43.432],
  A55: [5.369, 43.3075],
  "Porte 1": [5.3655, 43.304],
};

const position = (site) => [site.longitude, site.latitude];
export const isPlaced = (site) => Number.isFinite(site.longitude) && Number.isFinite(site.latitude);

/**
 * The ways a road sensor speaks for: [section, share from, share to], lying half way to the next sites. Downstream is
 * the section of its road that leads towards its direction, upstream those that come in from elsewhere.
 */
export function waysOf(sensor, port) {
  const place = PLACES[sensor.direction];
  const site = port.sites.get(sensor.site);
  if (!place || !isPlaced(site)) return [];
  const mine = port.sections.filter((section) => section.road === sensor.road);
  const ahead = (id) => alignment(position(site), position(port.sites.get(id)), place);
  const onward = mine.filter((way) => way.from_site === site.id && ahead(way.to_site) > 0);
  const behind = mine.filter((way) => way.to_site === site.id && ahead(way.from_site) <= 0);
  return [...onward.map((way) => [way, 0, 0.5]), ...behind.map((way) => [way, 0.5, 1])];
}

/* The cosine between two directions from one point; longitudes are shorter than latitudes here. */
function alignment(from, a, b) {
  const squeeze = Math.cos((from[1] * Math.PI) / 180);
  const [u, v] = [a, b].map((point) => [(point[0] - from[0]) * squeeze, point[1] - from[1]]);
  return (u[0] * v[0] + u[1] * v[1]) / (Math.hypot(...u) * Math.hypot(...v) || 1);
}
