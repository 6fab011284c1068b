/* A small curve of what happened lately. The figures stand beside it as text: the picture is an extra. */
const WIDTH = 240, HEIGHT = 48;

export function Plot({ values, label }: { values: number[]; label: string }) {
	const top = Math.max(1, ...values);
	const dots = values.map((v, n) => `${((n / Math.max(1, values.length - 1)) * WIDTH).toFixed(1)},${(HEIGHT - 2 - (v / top) * (HEIGHT - 6)).toFixed(1)}`);

	return (
		<svg class="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={label}>
			<path class="ground" d={`M0 ${HEIGHT - 1}H${WIDTH}`} />
			{dots.length > 1 && <path class="area" d={`M0,${HEIGHT} L${dots.join(" L")} L${WIDTH},${HEIGHT}Z`} />}
			{dots.length > 1 && <path class="line" d={`M${dots.join(" L")}`} />}
		</svg>
	);
}

/* A share of the whole, as a bar. */
export function Bar({ share, kind }: { share: number; kind: string }) {
	return (
		<svg class={`bar ${kind}`} viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
			<rect class="whole" width="100" height="6" rx="1" />
			<rect class="part" width={Math.max(1, share * 100)} height="6" rx="1" />
		</svg>
	);
}
