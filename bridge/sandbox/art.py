"""Pictures of the products, drawn as SVG."""

from __future__ import annotations

INK = "#22333b"

COLOURS = {"navy": "#2b4a6f", "moss": "#6b7f4a", "rust": "#b5562f"}

_LEATHER, _CREAM, _STEEL, _WOOL, _FLAME = "#9a5b34", "#f4ede1", "#7d97a5", "#c8b48d", "#f2b134"

_SHAPES = {
    "holdall": (
        f'<rect x="70" y="150" width="260" height="150" rx="34" fill="{COLOURS["moss"]}"/>'
        f'<path d="M130 152c0-70 140-70 140 0" fill="none" stroke="{_LEATHER}" stroke-width="14"/>'
        f'<rect x="110" y="150" width="22" height="150" fill="{_LEATHER}"/>'
        f'<rect x="268" y="150" width="22" height="150" fill="{_LEATHER}"/>'
    ),
    "daypack": (
        f'<rect x="125" y="110" width="150" height="210" rx="46" fill="{COLOURS["rust"]}"/>'
        f'<path d="M170 112c0-40 60-40 60 0" fill="none" stroke="{INK}" stroke-width="10"/>'
        f'<rect x="145" y="220" width="110" height="74" rx="16" fill="{_LEATHER}"/>'
        f'<rect x="125" y="160" width="150" height="14" fill="{_CREAM}"/>'
    ),
    "mug": (
        f'<path d="M266 165h34c46 0 46 90-6 92h-24" fill="none" stroke="{COLOURS["navy"]}" stroke-width="16"/>'
        f'<path d="M110 140h160v130a34 34 0 0 1-34 34h-92a34 34 0 0 1-34-34z" fill="{_CREAM}"/>'
        f'<rect x="104" y="130" width="172" height="18" rx="9" fill="{COLOURS["navy"]}"/>'
    ),
    "lantern": (
        f'<path d="M140 150c0-80 120-80 120 0" fill="none" stroke="{INK}" stroke-width="10"/>'
        f'<rect x="145" y="140" width="110" height="26" rx="8" fill="{_STEEL}"/>'
        f'<rect x="152" y="166" width="96" height="110" rx="30" fill="{_CREAM}"/>'
        f'<path d="M200 192c26 32 22 62 0 70-22-8-26-38 0-70z" fill="{_FLAME}"/>'
        f'<rect x="135" y="276" width="130" height="40" rx="12" fill="{_STEEL}"/>'
    ),
    "blanket": (
        f'<rect x="85" y="120" width="230" height="180" rx="22" fill="{_WOOL}"/>'
        f'<path d="M85 170h230M85 200h230M85 250h230" stroke="{COLOURS["rust"]}" stroke-width="12"/>'
        f'<path d="M95 300v24M125 300v24M155 300v24M185 300v24M215 300v24M245 300v24M275 300v24M305 300v24"'
        f' stroke="{_WOOL}" stroke-width="8"/>'
    ),
    "pot": (
        f'<path d="M100 200h200v70a50 50 0 0 1-50 50H150a50 50 0 0 1-50-50z" fill="{COLOURS["rust"]}"/>'
        f'<path d="M95 190c20-56 190-56 210 0z" fill="{_CREAM}"/><circle cx="200" cy="140" r="15" fill="{INK}"/>'
    ),
    "belt": (
        f'<circle cx="200" cy="220" r="92" fill="none" stroke="{_LEATHER}" stroke-width="34"/>'
        f'<rect x="170" y="290" width="60" height="44" rx="8" fill="none" stroke="{_STEEL}" stroke-width="10"/>'
    ),
    "beanie": (
        f'<path d="M110 260c0-150 180-150 180 0z" fill="{COLOURS["navy"]}"/>'
        f'<rect x="98" y="250" width="204" height="56" rx="20" fill="{_STEEL}"/>'
    ),
    "scarf": (
        f'<path d="M120 150c60 60 110 60 160 0l22 34c-60 60-144 60-204 0z" fill="{_STEEL}"/>'
        f'<path d="M215 200l56 20-22 116-48-10z" fill="{_STEEL}"/>'
        f'<path d="M206 300l46 10M202 322l46 10" stroke="{_CREAM}" stroke-width="8"/>'
    ),
    "jacket": (
        '<path d="M150 108l-58 34-38 156 46 12 22-78v96h156v-96l22 78 46-12-38-156-58-34-50 34z" fill="{tint}"/>'
        f'<path d="M200 146v182" stroke="{_CREAM}" stroke-width="6"/>'
        f'<path d="M150 108l50 38 50-38" fill="none" stroke="{_LEATHER}" stroke-width="14"/>'
    ),
    "jumper": (
        '<path d="M150 116l-74 60 30 62 34-26v106h120V212l34 26 30-62-74-60c-20 30-80 30-100 0z" fill="{tint}"/>'
        f'<path d="M140 250h120M140 274h120" stroke="{_CREAM}" stroke-width="8"/>'
    ),
    "voucher": (
        f'<path d="M60 300l90-120 60 70 40-50 90 100z" fill="{COLOURS["moss"]}"/>'
        f'<circle cx="280" cy="140" r="34" fill="{_FLAME}"/>'
        f'<path d="M60 300c70-24 110 20 160 0s80 10 120 0" fill="none" stroke="{COLOURS["navy"]}" stroke-width="12"/>'
    ),
}


def picture(art: str) -> str:
    """Return the SVG for a product's ``art``: a shape, or a shape and a colour (``jacket:moss``)."""
    shape, _, colour = art.partition(":")
    drawing = _SHAPES[shape].replace("{tint}", COLOURS.get(colour, COLOURS["navy"]))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 400 400" width="400" height="400">'
        '<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#e9eeea"/>'
        '<stop offset="1" stop-color="#d3dcd6"/></linearGradient></defs>'
        '<rect width="400" height="400" fill="url(#g)"/>'
        '<ellipse cx="200" cy="334" rx="130" ry="14" fill="#22333b" opacity=".12"/>'
        f"{drawing}</svg>"
    )
