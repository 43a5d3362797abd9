"""Every address of the site."""

from django.contrib import admin
from django.urls import path

from curation.api.site import api
from curation.views import health, projects, review, runs, signing_in, stream

urlpatterns = [
    path("", projects.home, name="home"),
    path("projects/new/", projects.new, name="project_new"),
    path("p/<slug:team>/<slug:project>/", projects.project, name="project"),
    path("sign-in/", signing_in.SignIn.as_view(), name="sign_in"),
    path("sign-out/", signing_in.SignOut.as_view(), name="sign_out"),
    path("enter/<str:token>/", signing_in.enter, name="enter"),
    path("runs/<int:pk>/", runs.run, name="run"),
    path("runs/<int:pk>/live/", runs.live, name="run_live"),
    path("runs/<int:pk>/start-iteration/", runs.start_iteration, name="run_start_iteration"),
    path("stream/", stream.stream, name="stream"),
    path("api/v1/", api.urls),
    path("runs/<int:pk>/undo/<int:event>/", review.undo, name="undo"),
    path("runs/<int:pk>/iterations/<int:number>/decide/", review.decide, name="decide"),
    path("runs/<int:pk>/iterations/<int:number>/decide-all/", review.decide_all, name="decide_all"),
    path("health/", health.health, name="health"),
    path("admin/", admin.site.urls),
]
