package crowd

import "encoding/xml"

// UnmarshalXML reads a restriction in whichever order its children come. What is not known to
// a comparison is passed over; a restriction that is not known is refused, for to pass over it
// would find what nobody asked for.
func (r *restriction) UnmarshalXML(d *xml.Decoder, start xml.StartElement) error {
	r.kind = start.Name.Local
	switch r.kind {
	case propertyRestriction:
		return r.readComparison(d)
	case booleanRestriction:
		for _, a := range start.Attr {
			if a.Name.Local == "boolean-logic" {
				r.logic = a.Value
			}
		}
		return eachElement(d, func(child xml.StartElement) error {
			if child.Name.Local == "restrictions" {
				return eachElement(d, func(child xml.StartElement) error { return r.readChild(d, child) })
			}
			return r.readChild(d, child) // a list without its wrapper
		})
	case nullRestriction:
		return d.Skip()
	}
	return badRestriction("", "There is no restriction <%s>", r.kind)
}

func (r *restriction) readChild(d *xml.Decoder, start xml.StartElement) error {
	var child restriction
	if err := d.DecodeElement(&child, &start); err != nil {
		return err
	}
	r.children = append(r.children, child)
	return nil
}

func (r *restriction) readComparison(d *xml.Decoder) error {
	return eachElement(d, func(child xml.StartElement) error {
		switch child.Name.Local {
		case "property":
			return r.readProperty(d)
		case "match-mode":
			return d.DecodeElement(&r.match, &child)
		case "value":
			r.value = new(string)
			return d.DecodeElement(r.value, &child)
		}
		return d.Skip()
	})
}

func (r *restriction) readProperty(d *xml.Decoder) error {
	return eachElement(d, func(child xml.StartElement) error {
		switch child.Name.Local {
		case "name":
			return d.DecodeElement(&r.property, &child)
		case "type":
			return d.DecodeElement(&r.propertyType, &child)
		}
		return d.Skip()
	})
}

// eachElement calls do for each child of the element that was just opened, and reads the
// element's end. do must read its child to the end.
func eachElement(d *xml.Decoder, do func(child xml.StartElement) error) error {
	for {
		token, err := d.Token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.StartElement:
			if err := do(token); err != nil {
				return err
			}
		case xml.EndElement:
			return nil
		}
	}
}
