package crowd

import (
	"github.com/labstack/echo/v4"

	"github.com/rollcall-id/rollcall/api"
	"github.com/rollcall-id/rollcall/application"
	"github.com/rollcall-id/rollcall/models"
)

// parents answers GET /group/parent-group/direct and nested: the groups that a group is in;
// with a parent's name, whether it is in that one. Crowd calls this parameter child-groupname
// in "direct", though it means the parent; node clients call it by its right name.
func (h *handler) parents(depth application.Depth) echo.HandlerFunc {
	return h.related(relation{
		of: "groupname", asks: []string{"parent-groupname", "child-groupname"},
		list: func(c echo.Context, child string, page models.Page) error {
			if detailOfMany(c, "group") == minimal {
				names, err := view(c).ParentNames(reqctx(c), child, depth, page)
				return h.writeNames(c, groupNames, names, err)
			}
			groups, err := view(c).Parents(reqctx(c), child, depth, page)
			if err != nil {
				return err
			}
			return h.writeGroups(c, groups)
		},
		has: func(c echo.Context, child, parent string) error {
			return view(c).CheckChild(reqctx(c), child, parent, depth)
		},
		name: namedGroup,
	})
}

// addParent answers POST /group/parent-group/direct: the group of the query goes into the group
// of the body.
func (h *handler) addParent(c echo.Context) error {
	child, err := api.Required(c, "groupname")
	if err != nil {
		return err
	}
	parent, err := readGroupName(c)
	if err != nil {
		return err
	}
	if err := nest(c, child, parent, child, parent); err != nil {
		return err
	}
	return h.created(c, link{
		path: "/group/parent-group/direct",
		key:  "groupname", value: canonicalGroup(c, child),
		key2: "parent-groupname", value2: canonicalGroup(c, parent),
	})
}

// children answers GET /group/child-group/direct and nested: the groups in a group; with a
// child's name, whether that one is among them.
func (h *handler) children(depth application.Depth) echo.HandlerFunc {
	return h.related(relation{
		of: "groupname", asks: []string{"child-groupname"},
		list: func(c echo.Context, parent string, page models.Page) error {
			if detailOfMany(c, "group") == minimal {
				names, err := view(c).ChildNames(reqctx(c), parent, depth, page)
				return h.writeNames(c, groupNames, names, err)
			}
			groups, err := view(c).Children(reqctx(c), parent, depth, page)
			if err != nil {
				return err
			}
			return h.writeGroups(c, groups)
		},
		has: func(c echo.Context, parent, child string) error {
			return view(c).CheckChild(reqctx(c), child, parent, depth)
		},
		name: namedGroup,
	})
}

// addChild answers POST /group/child-group/direct: the group of the body goes into the group of
// the query.
func (h *handler) addChild(c echo.Context) error {
	parent, err := api.Required(c, "groupname")
	if err != nil {
		return err
	}
	child, err := readGroupName(c)
	if err != nil {
		return err
	}
	if err := nest(c, child, parent, parent, child); err != nil {
		return err
	}
	return h.created(c, link{
		path: "/group/child-group/direct",
		key:  "groupname", value: canonicalGroup(c, parent),
		key2: "child-groupname", value2: canonicalGroup(c, child),
	})
}

// nest puts child into parent. The group that the query names is a 404 when it is missing, the
// one of the body a 400; should both have the same name, it is the query's.
func nest(c echo.Context, child, parent, ofQuery, ofBody string) error {
	err := view(c).AddChild(reqctx(c), child, parent)
	if models.Key(ofQuery) == models.Key(ofBody) {
		return err
	}
	return inBody(err, models.GroupNotFound, ofBody)
}

// removeChild answers DELETE /group/child-group/direct.
var removeChild = onTwo("child-groupname", "groupname", (*application.View).RemoveChild)
